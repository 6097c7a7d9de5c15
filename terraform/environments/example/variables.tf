variable "project" {
  description = "Project that pays for it."
  type        = string
}

variable "region" {
  description = "Region of everything."
  type        = string
  default     = "southamerica-east1"
}

variable "name" {
  description = "Name of the environment and of what it consists of."
  type        = string
  default     = "pedidos-veloz"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,22}[a-z0-9]$", var.name))
    error_message = "The name must have 4 to 24 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "administrators" {
  description = "Networks that may reach the control plane by its address too, by name, such as {office = \"203.0.113.0/24\"}."
  type        = map(string)
  default     = {}
}

variable "repository" {
  description = "GitHub repository whose pipeline rolls out, as owner/name, with its capitals."
  type        = string
}

variable "branch" {
  description = "Branch that is rolled out."
  type        = string
  default     = "main"
}

variable "machine_type" {
  description = "Machine of a node; the module node-pool says how many pods it takes."
  type        = string
  default     = "e2-standard-4"
}

variable "min_nodes" {
  description = "Least nodes over all zones."
  type        = number
  default     = 3
}

variable "max_nodes" {
  description = "Most nodes over all zones."
  type        = number
  default     = 6
}

variable "deletion_protection" {
  description = "Set false, and apply, before terraform destroy."
  type        = bool
  default     = true
}
