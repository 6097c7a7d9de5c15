variable "name" {
  description = "Name of the network and of what is in it."
  type        = string
}

variable "region" {
  description = "Region of the subnetwork, such as southamerica-east1."
  type        = string
}

variable "node_range" {
  description = "Addresses of the nodes."
  type        = string
  default     = "10.10.0.0/20"
}

variable "pod_range" {
  description = "Addresses of the pods: 110 and a few a node, so a /24 a node."
  type        = string
  default     = "10.20.0.0/16"
}

variable "service_range" {
  description = "Addresses of the Services."
  type        = string
  default     = "10.30.0.0/20"
}
