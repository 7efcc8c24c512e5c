#!/usr/bin/env bash
# The seven checks of an operator, on logs that this script makes itself. No key and no network are needed:
#
#     bash tests/operator/seven_checks.sh
#
# The program is taken from TRIO_SUPERVISOR, else from the environment beside this checkout, else from PATH.
set -euo pipefail

here=$(cd "$(dirname "$0")/../.." && pwd)
python=$here/.venv/bin/python
[ -x "$python" ] || python=python3
read -r -a program <<<"${TRIO_SUPERVISOR:-$python -m actors}"
work=$(mktemp -d)
served=()
trap 'for pid in ${served[@]+"${served[@]}"}; do kill "$pid" 2>/dev/null || true; done; rm -rf "$work"' EXIT

failed=0
check() { # what, then a command that has to succeed
    local what=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        echo "ok    $what"
    else
        echo "WRONG $what"
        sed 's/^/      /' "$work/said"
        failed=$((failed + 1))
    fi
}
has() { grep -qE -- "$1" "${@:2}"; }
lacks() { ! grep -qE -- "$1" "${@:2}"; }
is() { [ "$1" = "$2" ] || { echo "expected $2, not $1"; return 1; }; }

# serve NAME WEATHER KEYS: a provider on the loopback; its address goes to $work/NAME.
serve() {
    "$python" "$here/tests/operator/provider.py" "$2" "$3" >"$work/$1" &
    served+=("$!")
    for _ in $(seq 100); do [ -s "$work/$1" ] && return; sleep 0.1; done
    echo "the provider on the loopback did not start" >&2
    exit 1
}

clean=(env -u ANTHROPIC_API_KEY -u OPENAI_API_KEY -u GEMINI_API_KEY -u ANTHROPIC_MODEL -u OPENAI_MODEL -u GEMINI_MODEL
    -u ANTHROPIC_BASE_URL -u OPENAI_BASE_URL -u GEMINI_BASE_URL -u LOG_LEVEL)
cd "$work"
canary=sk-ant-canary-0123456789
good=sk-ant-good-0123456789
logs=$work/logs

echo "1. What the user saw leads to the log"
"${clean[@]}" "${program[@]}" demo --failure invalid_key --log-file "$logs/401.log" >"$work/401.out" 2>&1 || true
"${clean[@]}" "${program[@]}" demo --failure rate_limit --log-file "$logs/429.log" >"$work/429.out" 2>&1
"${clean[@]}" "${program[@]}" demo --prompts 12 --seed 3 --faults 'cut=0.5' --log-file "$logs/many.log" >"$work/many.out" 2>&1
id=$(grep -oE 'trace [0-9a-f]{32}' "$work/401.out" | cut -d' ' -f2)
many=$(grep -oE 'trace_id=[0-9a-f]{32}' "$logs/many.log" | sort -u | head -n 1 | cut -d= -f2)
check "the message has a phase, a title and what to do" has 'Invalid credentials, (connection|first event)' "$work/401.out"
check "grep with its trace id finds lines" has "$id" "$logs/401.log"
check "every line of that operation has the id, and no line of another" \
    is "$(grep -r "$many" "$logs" | grep -oE 'stream=[^ ]+' | sort -u | wc -l)" 1

echo "2. attempt N/M says that the trouble is transient"
check "it is there for a 429, and counts up" is "$(grep -oE 'attempt [0-9]+/[0-9]+' "$logs/429.log" | tr '\n' ' ')" 'attempt 1/5 attempt 2/5 '

echo "3. Its absence says that somebody has to act"
check "it is not there for a 401" lacks 'attempt [0-9]+/[0-9]+' "$logs/401.log"
check "not retrying is" has 'not retrying' "$logs/401.log"
check "a repeated failure that ends is told as the last of them, then as exhausted" bash -c \
    "'${clean[0]}' ${clean[*]:1} ${program[*]} demo --failure overloaded --lasting 2>&1 | grep -oE 'attempt 5/5|exhausted' | tr '\n' ' ' | grep -qx 'attempt 5/5 exhausted '"

echo "4. Status page, credentials and models are one command away"
serve provider "seed=1" "$good"
doctor=("${clean[@]}" "ANTHROPIC_BASE_URL=$(cat "$work/provider")")
"${doctor[@]}" ANTHROPIC_API_KEY="$good" ANTHROPIC_MODEL=claude-sonnet-4-5 "${program[@]}" doctor --provider anthropic >"$work/doctor.200"
"${doctor[@]}" ANTHROPIC_API_KEY="$canary" "${program[@]}" doctor --provider anthropic >"$work/doctor.401" && status=0 || status=$?
check "the status page is told" has 'status page: https://status.anthropic.com' "$work/doctor.200"
check "a good key is accepted, and its models are listed" has 'key accepted|models: claude' "$work/doctor.200"
check "the model that is configured is available" has 'model claude-sonnet-4-5 .* is available' "$work/doctor.200"
check "a wrong key is told" has 'Invalid credentials' "$work/doctor.401"
check "and the exit status says so" is "$status" 1
check "no key is shown" lacks "$canary|$good" "$work/doctor.200" "$work/doctor.401"

echo "5. Debugging is one variable or flag"
serve weather "seed=1 claude-a#1=status429:0 claude-a#3=status429:0 claude-a#5=status429:0" ""
ask=("${clean[@]}" "ANTHROPIC_BASE_URL=$(cat "$work/weather")" ANTHROPIC_API_KEY="$canary")
"${ask[@]}" "${program[@]}" run "my key is $canary" -r anthropic:claude-a >"$work/quiet.out" 2>"$work/quiet.log" </dev/null
"${ask[@]}" LOG_LEVEL=debug "${program[@]}" run "my key is $canary, again" -r anthropic:claude-a >"$work/debug.out" 2>"$work/debug.log" </dev/null
"${ask[@]}" "${program[@]}" run "my key is $canary, more" -r anthropic:claude-a --log-level debug --log-json --log-file "$logs/debug.jsonl" \
    >"$work/flag.out" 2>&1 </dev/null
check "without it no line is for debugging" lacks '\[debug' "$work/quiet.log"
check "LOG_LEVEL=debug brings them" has '\[debug' "$work/debug.log"
check "so does --log-level, with the bodies of what failed" has '"request_body"' "$logs/debug.jsonl"

echo "6. The six phrases of the table of common issues can be grepped"
for pair in "rate_limit:Rate limited" "invalid_key:Invalid credentials" "refused:Connection refused" "memory:Memory exhausted" \
    "unavailable:Service unavailable" "cancelled:Operation interrupted"; do
    "${clean[@]}" "${program[@]}" demo --failure "${pair%%:*}" >"$work/phrase" 2>&1 || true
    check "${pair#*:}" has "${pair#*:}" "$work/phrase"
    check "  and is in docs/operating.md" has "${pair#*:}" "$here/docs/operating.md"
done

echo "7. A log can be handed on"
debugged=$(grep -oE '[0-9a-f]{32}' "$logs/debug.jsonl" | sort | uniq -c | sort -rn | awk 'NR == 1 { print $2 }')
"${ask[@]}" "${program[@]}" trace "${debugged:0:8}" --log "$logs" >"$work/export"
"${ask[@]}" "${program[@]}" trace "$debugged" --log "$logs" --json >"$work/export.json"
check "the export has the lines of the operation" has "$debugged" "$work/export"
check "and the five parts" has '"classification".*"telemetry".*"lifecycle".*"resources".*"configuration"' "$work/export.json"
check "without the canary key" lacks "$canary" "$work/export" "$work/export.json"
check "which is in no log either" bash -c "! grep -rqF '$canary' '$logs' '$work/debug.log' '$work/quiet.log'"

echo
[ "$failed" = 0 ] && echo "All seven hold." || echo "$failed wrong."
exit "$((failed > 0))"
