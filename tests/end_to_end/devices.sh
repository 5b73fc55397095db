#!/bin/sh
# devices.sh MODELS_TEST SHARED: whole networks and training runs, their nodes dealt to
# two and to three CPU devices, give the bits of one device.
models=$1
shared=$2
. "$(dirname "$0")/digests.sh"
skip_without "$shared/models"
for cases in models/small models/training; do
  digest "$cases, one device" "$models" "$shared/$cases"
  expected=$found
  for devices in 2 3; do
    digest "$cases, $devices devices" "$models" "$shared/$cases" --devices=$devices
    same "$cases, $devices devices" "$expected"
  done
done
exit $status
