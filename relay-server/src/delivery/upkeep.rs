//! The end of retention.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio_util::sync::CancellationToken;

use crate::{
    inbox::{ExpiredTo, Inbox},
    ingress::Ingress,
};

/// How often the inbox is asked whose time has ended. Retention counts in days.
const EVERY: Duration = Duration::from_mins(1);

/// Ends the time of what is too old, for as long as the relay serves. What was given up is logged, and told to the endpoint's client.
pub(crate) async fn upkeep(ingress: Arc<Ingress>, inbox: Arc<dyn Inbox>, stop: CancellationToken) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => expire(&ingress, &*inbox).await,
        }
    }
}

async fn expire(ingress: &Ingress, inbox: &dyn Inbox) {
    let mut ended: BTreeMap<Arc<str>, (u64, u64)> = BTreeMap::new();
    loop {
        match inbox.expire(SystemTime::now()).await {
            Ok(batch) if batch.is_empty() => break,
            Ok(batch) => {
                for expired in batch {
                    let (parked, dropped) = ended.entry(expired.endpoint).or_default();
                    match expired.to {
                        ExpiredTo::Parked => *parked += 1,
                        ExpiredTo::Dropped => *dropped += 1,
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the inbox can't tell what is too old");
                break;
            }
        }
    }
    for (endpoint, (parked, dropped)) in ended {
        tracing::warn!(%endpoint, parked, dropped, "webhooks were not delivered within their retention");
        if let Some(desk) = ingress.endpoints.desk(&endpoint) {
            desk.tell();
        }
    }
}
