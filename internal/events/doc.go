// Package events makes log records of what happens: of the difference of two passes,
// and of what the kernel tells between them, each once. It uses the API of
// OpenTelemetry's logs, and knows nothing of who delivers.
package events
