//! Events that the shop has simulated, and what its order service answered.

use serde_json::json;
use tollgate_domain::ambient::Clock;
use tollgate_domain::event::EventType;
use tollgate_domain::simulation::{SimulationEventStatus, SimulationResponse};
use tollgate_service::NewSimulation;
use tollgate_storage::{Change, IdPage, SimulationEventKey, SimulationRecord, Write};

use super::ORDERS;
use super::shop::{Shop, first};

impl Shop {
    pub(super) async fn simulation(&self, name: &str, event_type: EventType, status: SimulationEventStatus) {
        let all = self.storage.all_notification_settings(self.owner.workspace().id).await;
        let orders = all.unwrap().into_iter().find(|setting| setting.destination == ORDERS);
        let new = NewSimulation {
            setting: orders.unwrap().id,
            event_type,
            name: name.to_owned(),
            payload: json!({ "name": "Storefront" }).as_object().cloned(),
        };
        let simulation = self.service.create_simulation(&self.developer, new).await.unwrap();
        let run = self
            .service
            .run_simulation(&self.developer, simulation.id)
            .await
            .unwrap();
        let page = IdPage {
            page: first(),
            ids: Vec::new(),
        };
        let sent = (simulation.id, run.id);
        let events = self
            .service
            .simulation_events(&self.developer, sent, &page)
            .await
            .unwrap();
        let (status_code, body) = match status {
            SimulationEventStatus::Success => (200, json!({ "received": true })),
            _ => (500, json!({ "error": "no such storefront" })),
        };
        for event in events.items {
            let key = SimulationEventKey::of(&event);
            let at = self.clock.now();
            let claim = Write::ClaimSimulationEvent { event: key, at };
            self.storage.commit(Change::silent(claim)).await.unwrap();
            let record = SimulationRecord {
                event: key,
                status,
                request: Some(event.body()),
                response: Some(SimulationResponse {
                    status_code,
                    body: body.to_string(),
                }),
                problem: None,
                at,
            };
            let write = Write::RecordSimulationEvent(record);
            self.storage.commit(Change::silent(write)).await.unwrap();
        }
    }
}
