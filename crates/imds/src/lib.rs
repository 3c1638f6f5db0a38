//! Client for the EC2 instance metadata service.
