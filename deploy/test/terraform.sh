#!/bin/bash
# Checks the form of the Terraform code and validates the environment with all its modules. TERRAFORM names the program:
# terraform by default; tofu does as well. No state and no cloud is touched.
set -euo pipefail
cd "$(dirname "$0")/../../terraform"
terraform=${TERRAFORM:-terraform}
"$terraform" fmt -check -diff -recursive
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TF_DATA_DIR="$work/data"
cp -r . "$work/terraform" # init writes a lock file beside what it reads
cd "$work/terraform/environments/example"
"$terraform" init -backend=false -input=false >/dev/null
"$terraform" validate
