"""The record of a run as an OpenTelemetry trace."""
