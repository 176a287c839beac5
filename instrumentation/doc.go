// Package instrumentation reports this host and its processes through the
// OpenTelemetry metrics API. It depends on the API alone: the program brings its
// own MeterProvider, readers and exporters.
//
//	registration, err := instrumentation.Start()
//	if err != nil {
//		return err
//	}
//	defer registration.Unregister()
//
// That reports the host and the calling process on the global MeterProvider. On
// a host with many instrumented services each of them would repeat the host's
// metrics; [WithoutHost] leaves them out.
package instrumentation
