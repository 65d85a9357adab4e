#!/bin/sh
# {{.Shares}} shares as an AWS Batch array job, and a job that adds them up once all are done. Made by
#     {{.MadeBy}}
# in the syntax of the AWS command line; nobody has run it. Submit it with:
#     QUEUE=... DEFINITION=... sh FILE
# The job definition names the image and mounts a file system at /data. What a lost host
# ends is tried again, and resumes. --deadline stops in time for the limit.
set -eu
array=$(aws batch submit-job --job-name {{.Name}} --job-queue "$QUEUE" --job-definition "$DEFINITION" \
    --array-properties size={{.Shares}} --retry-strategy attempts=5 --timeout attemptDurationSeconds={{.Seconds}} \
    --query jobId --output text --container-overrides {{quote (json .Overrides)}})
aws batch submit-job --job-name {{.Name}}-merge --job-queue "$QUEUE" --job-definition "$DEFINITION" \
    --depends-on jobId="$array" --query jobId --output text --container-overrides {{quote (json .MergeOverrides)}}
