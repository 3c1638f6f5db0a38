//! The EC2 instance metadata service where there is none.
