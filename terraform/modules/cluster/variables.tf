variable "project" {
  description = "Project that the cluster belongs to."
  type        = string
}

variable "name" {
  description = "Name of the cluster."
  type        = string
}

variable "region" {
  description = "Region of the cluster."
  type        = string
}

variable "network" {
  description = "Id of the network."
  type        = string
}

variable "subnetwork" {
  description = "Id of the nodes' subnetwork, which has the secondary ranges pods and services."
  type        = string
}

variable "control_plane_range" {
  description = "Addresses of the control plane; a /28."
  type        = string
  default     = "172.16.0.0/28"
}

variable "administrators" {
  description = "Networks that may reach the control plane by its address too, by name. By its DNS name who may is IAM's matter."
  type        = map(string)
  default     = {}
}

variable "deletion_protection" {
  description = "Refuses to destroy the cluster while true."
  type        = bool
  default     = true
}
