//! forklift-api
