//! Traces for an OpenTelemetry collector, where the program was built with the feature `telemetry`.

#[cfg(feature = "telemetry")]
pub(crate) use with::{Exporting, layer};

#[cfg(feature = "telemetry")]
mod with {
    use anyhow::Context;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
    use opentelemetry_sdk::{
        Resource,
        trace::{SdkTracer, SdkTracerProvider},
    };
    use tracing::level_filters::LevelFilter;
    use tracing_opentelemetry::OpenTelemetryLayer;
    use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

    /// Sends what is left when it goes out of scope.
    pub(crate) struct Exporting(SdkTracerProvider);

    impl Drop for Exporting {
        fn drop(&mut self) {
            if let Err(failure) = self.0.shutdown() {
                tracing::warn!(error = %failure, "the last traces were not sent");
            }
        }
    }

    /// Sends the spans of our own crates to the collector at `endpoint`, in batches, by a thread of
    /// its own.
    pub(crate) fn layer<S>(endpoint: &str) -> anyhow::Result<(impl Layer<S>, Exporting)>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let address = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        // Its client refuses to be made on a thread that runs async code.
        let client = std::thread::spawn(client).join();
        let client = client.map_err(|_| anyhow::anyhow!("no client for telemetry"))??;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&address)
            .build()
            .with_context(|| format!("telemetry.otlp_endpoint {endpoint:?} cannot be used"))?;
        let resource = Resource::builder().with_service_name("frontdesk").build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        let tracer: SdkTracer = provider.tracer("frontdesk");
        let ours = ["web", "bot", "store", "frontdesk"].map(|name| (name, LevelFilter::INFO));
        let layer = OpenTelemetryLayer::new(tracer).with_filter(Targets::new().with_targets(ours));
        Ok((layer, Exporting(provider)))
    }

    fn client() -> anyhow::Result<reqwest::blocking::Client> {
        let tls = crate::tls::client()?;
        Ok(reqwest::blocking::Client::builder().tls_backend_preconfigured(tls).build()?)
    }
}

/// Refuses an endpoint that nothing would be sent to.
pub(crate) fn refuse(endpoint: &str) -> anyhow::Result<()> {
    anyhow::ensure!(
        cfg!(feature = "telemetry") || endpoint.is_empty(),
        "telemetry.otlp_endpoint is set, but this program sends no traces; build it with --features telemetry"
    );
    Ok(())
}
