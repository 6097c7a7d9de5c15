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

variable "machine_type" {
  description = "Machine of a node."
  type        = string
  default     = "e2-standard-2"
}

variable "min_nodes" {
  description = "Least nodes over all zones: three, one a zone."
  type        = number
  default     = 3
}

variable "max_nodes" {
  description = "Most nodes over all zones. The autoscalers at their maximum ask for 8 cores."
  type        = number
  default     = 9

  validation {
    condition     = var.max_nodes >= var.min_nodes
    error_message = "max_nodes must not be below min_nodes."
  }
}
