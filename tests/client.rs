//! A small HTTP client for the journeys: one connection that stays open, JSON in and out.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

pub(crate) struct Client {
    agent: Agent,
    url: String,
    authorization: String,
}

impl Client {
    pub(crate) fn new(url: &str, key: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(Duration::from_secs(20)));
        Self {
            agent: config.build().into(),
            url: url.to_owned(),
            authorization: format!("Bearer {key}"),
        }
    }

    /// The status and the body; an error only when there was no answer.
    pub(crate) fn get(&self, path: &str) -> Result<(u16, Value), ureq::Error> {
        let url = format!("{}{path}", self.url);
        let mut response = self
            .agent
            .get(url)
            .header("Authorization", &self.authorization)
            .call()?;
        Ok((response.status().as_u16(), response.body_mut().read_json()?))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<(u16, Value), ureq::Error> {
        let url = format!("{}{path}", self.url);
        let request = self.agent.post(url).header("Authorization", &self.authorization);
        let mut response = request.send_json(body)?;
        Ok((response.status().as_u16(), response.body_mut().read_json()?))
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Result<(u16, Value), ureq::Error> {
        let url = format!("{}{path}", self.url);
        let request = self.agent.patch(url).header("Authorization", &self.authorization);
        let mut response = request.send_json(body)?;
        Ok((response.status().as_u16(), response.body_mut().read_json()?))
    }

    /// Another connection to the same place, by the same key.
    pub(crate) fn again(&self) -> Self {
        let key = self.authorization.trim_start_matches("Bearer ");
        Self::new(&self.url, key)
    }

    /// Every item of a list, from all its pages. `path` has a query.
    pub(crate) fn all(&self, path: &str, id: &str) -> Vec<Value> {
        let mut items: Vec<Value> = Vec::new();
        loop {
            let after = items
                .last()
                .map(|item| format!("&after={}", item[id].as_str().unwrap()))
                .unwrap_or_default();
            let (status, mut page) = self.get(&format!("{path}&per_page=200{after}")).unwrap();
            assert_eq!(status, 200, "{page}");
            items.append(page["data"].as_array_mut().unwrap());
            if page["meta"]["pagination"]["has_more"] != true {
                return items;
            }
        }
    }
}
