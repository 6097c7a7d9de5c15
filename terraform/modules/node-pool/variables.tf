variable "project" {
  description = "Project of the nodes."
  type        = string
}

variable "name" {
  description = "Name of the pool; with -nodes behind it a service account's, so at most 24 characters."
  type        = string
}

variable "cluster" {
  description = "Name of the cluster."
  type        = string
}

variable "region" {
  description = "Region of the cluster."
  type        = string
}

# How many nodes, counted in pods of the half core that deploy/kustomize/overlays/production asks for.
#
# Asked for: the autoscalers of k8s/ stop at 10 + 6 + 4 + 4 = 24 pods, 12 cores, and an apply that rolls all four services adds
# one each: 28 pods, 14 cores. PostgreSQL takes a quarter of a core besides, or three cores in deploy/kustomize/overlays/cloudnative.
# At rest there are 8 pods, and 9 in a roll.
#
# There: of an e2-standard-4's four cores GKE keeps 80m, and its DaemonSets (Dataplane V2, logs, metrics, metadata) ask for some
# 460m, as kubectl describe node shows. That leaves six pods, and 460m for DNS and PostgreSQL. Three nodes take 18 pods, so that
# a roll at rest and the beginning of a campaign wait for no node; six take 36, or 30 beside CloudNativePG's instances.
# An e2-standard-2 has 1.47 cores left, two pods: nine of them would stop at 18.

variable "machine_type" {
  description = "Machine of a node. With another one, count min_nodes and max_nodes anew."
  type        = string
  default     = "e2-standard-4"
}

variable "min_nodes" {
  description = "Least nodes over all three zones: one each."
  type        = number
  default     = 3
}

variable "max_nodes" {
  description = "Most nodes over all three zones, without the one more of an upgrade."
  type        = number
  default     = 6

  validation {
    condition     = var.max_nodes >= var.min_nodes
    error_message = "max_nodes must not be below min_nodes."
  }
}
