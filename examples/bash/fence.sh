#!/usr/bin/env bash
# Fences one host over Redfish: fence.sh off|status. The environment says where: BMC_URL, BMC_SYSTEM, BMC_USER, BMC_PASSWORD.
set -u
system=$BMC_URL$BMC_SYSTEM

call() { # the password goes through standard input: everybody can read a command line
  curl --silent --show-error --fail --insecure --max-time 5 --config - "$@" <<<"user = \"$BMC_USER:$BMC_PASSWORD\""
}
power() { call "$system" | grep -o '"PowerState": *"[^"]*"' | head -1 | cut -d'"' -f4; }
confirmed() { [ "$(power)" = Off ] && sleep 1 && [ "$(power)" = Off ]; }

case ${1:-} in
  status)
    state=$(power)
    echo "power is ${state:-unknown}"
    [ -n "$state" ] ;;
  off)
    confirmed && { echo "off already"; exit 0; }
    # Whatever is answered to the command: the power state decides.
    call -X POST -H 'Content-Type: application/json' -d '{"ResetType": "ForceOff"}' "$system/Actions/ComputerSystem.Reset"
    while [ $SECONDS -lt 12 ]; do
      confirmed && { echo "powered off"; exit 0; }
      sleep 0.5
    done
    echo "timeout: the BMC says $(power)" >&2
    exit 1 ;;
  *)
    echo "usage: fence.sh off|status" >&2
    exit 1 ;;
esac
