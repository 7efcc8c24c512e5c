"""The trio tasks: awaits, scopes and sends; every judgement is asked of policy."""
