variable "project" {
  description = "Project of the cluster."
  type        = string
}

variable "name" {
  description = "Name of the environment; with -github behind it a pool's, so at most 25 characters."
  type        = string
}

variable "repository" {
  description = "GitHub repository whose pipeline rolls out, as owner/name, with its capitals."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "The repository must be owner/name."
  }
}

variable "environment" {
  description = "Environment of that repository that the deploying job runs in. Its reviewers decide what is rolled out."
  type        = string
  default     = "production"
}

variable "branch" {
  description = "Branch that is rolled out."
  type        = string
  default     = "main"
}

variable "namespace" {
  description = "Kubernetes namespace of the platform."
  type        = string
  default     = "pedidos-veloz"
}
