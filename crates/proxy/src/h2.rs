pub(crate) async fn serve(_: std::sync::Arc<crate::gate::Worker>, _: crate::wire::Wire, _: crate::stage::Peer, _: tokio_util::sync::CancellationToken) {}
