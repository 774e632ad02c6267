//! What stands before each page: who is it, does the form come from a page of theirs, in which workspace, and may they. And
//! before the forms of those who aren't signed in: how often.
//!
//! A form says itself which workspace it was shown for, so that it acts there even if another tab has switched since. A
//! page shows the workspace that was looked at last.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tollgate_domain::id::WorkspaceId;
use tollgate_domain::session::SessionSecret;
use tollgate_service::SignedIn;

use super::cookies::{SESSION, VISITOR, WORKSPACE};
use super::failure::Failure;
use super::fields::{Fields, Form};
use super::page::see_other;
use super::row::Right;
use super::session::{MaybeVisit, Reached, Session, Visit, Visitor};
use crate::App;
use crate::extract::form::FormBody;
use crate::extract::origin::client_address;
use crate::front_door::{BaseUrl, Peer};
use crate::gate::limit_rate;

/// The gate of one row.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) app: App,
    pub(super) right: Right,
}

/// Lets the request through, or says why not.
pub(super) async fn keep(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let mut cookies = Vec::new();
    let mut response = match gate.admit(request, &mut cookies).await {
        Ok(Admitted::To(request)) => next.run(request).await,
        Ok(Admitted::Elsewhere(response)) => response,
        Err(failure) => failure.into_response(),
    };
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

enum Admitted {
    To(Request),
    Elsewhere(Response),
}

impl Gate {
    async fn admit(&self, request: Request, cookies: &mut Vec<HeaderValue>) -> Result<Admitted, Failure> {
        let reached = self.reached(&request);
        let is_form = request.method() == Method::POST;
        let (request, form) = if is_form {
            if !comes_from_here(&self.app, request.headers(), &reached) {
                return Err(Failure::bad_proof());
            }
            if let (Right::Anyone, Some(address)) = (self.right, reached.address) {
                limit_rate(&self.app, address)?;
            }
            with_form(request).await?
        } else {
            (request, Fields::default())
        };
        let proof = is_form.then(|| form.text("proof").to_owned());
        if self.right == Right::Anyone {
            return self.admit_visitor(request, reached, proof.as_deref(), cookies).await;
        }
        let Some(session) = self.session(request.headers(), reached).await? else {
            return if is_form {
                Err(Failure::signed_out())
            } else {
                Ok(Admitted::Elsewhere(to_sign_in(request.uri())))
            };
        };
        if proof.is_some_and(|proof| !session.signed_in.secret.is_form_proof(&proof)) {
            return Err(Failure::bad_proof());
        }
        let mut request = request;
        if self.right == Right::SignedIn {
            // Only for the frame around the page: they may be a member of nothing.
            let visit = visit(request.headers(), &session, None, cookies)?;
            request.extensions_mut().insert(MaybeVisit(visit));
        } else {
            let asked = is_form.then(|| form.text("workspace"));
            let Some(visit) = visit(request.headers(), &session, asked, cookies)? else {
                return Ok(Admitted::Elsewhere(see_other("/dashboard/no-workspace")));
            };
            match self.right {
                Right::Permission(permission) => visit.caller.require(permission)?,
                Right::Action(action) => visit.caller.require_action(action)?,
                Right::Anyone | Right::SignedIn | Right::Member => {}
            }
            request.extensions_mut().insert(visit);
        }
        request.extensions_mut().insert(session);
        Ok(Admitted::To(request))
    }

    fn reached(&self, request: &Request) -> Reached {
        let Peer(peer) = Peer::of(request);
        let base = request
            .extensions()
            .get::<BaseUrl>()
            .map(|BaseUrl(base)| Arc::clone(base));
        let base = base.expect("the front door gives every request its base URL");
        Reached {
            secure: !is_loopback(&base),
            address: Some(client_address(&self.app, peer, request.headers())),
            base,
        }
    }

    async fn signed_in(&self, headers: &HeaderMap, reached: &Reached) -> Result<Option<SignedIn>, Failure> {
        let Some(cookie) = SESSION.of(headers, reached.secure) else {
            return Ok(None);
        };
        Ok(self.app.service.signed_in(cookie).await?)
    }

    async fn session(&self, headers: &HeaderMap, reached: Reached) -> Result<Option<Session>, Failure> {
        let Some(signed_in) = self.signed_in(headers, &reached).await? else {
            return Ok(None);
        };
        let workspaces = self.app.service.workspaces_of(&signed_in).await?;
        Ok(Some(Session {
            reached,
            signed_in: Arc::new(signed_in),
            workspaces: workspaces.into(),
        }))
    }

    /// Somebody who isn't signed in proves forms with a cookie of their own.
    async fn admit_visitor(
        &self,
        mut request: Request,
        reached: Reached,
        proof: Option<&str>,
        cookies: &mut Vec<HeaderValue>,
    ) -> Result<Admitted, Failure> {
        let presented = VISITOR
            .of(request.headers(), reached.secure)
            .and_then(SessionSecret::parse);
        if let Some(proof) = proof
            && !presented.as_ref().is_some_and(|secret| secret.is_form_proof(proof))
        {
            return Err(Failure::bad_proof());
        }
        let secret = presented.unwrap_or_else(|| {
            let secret = self.app.service.new_visitor();
            cookies.push(VISITOR.set(secret.reveal(), reached.secure));
            secret
        });
        let signed_in = self.signed_in(request.headers(), &reached).await?.is_some();
        request.extensions_mut().insert(Visitor {
            reached,
            proof: secret.form_proof(),
            signed_in,
        });
        Ok(Admitted::To(request))
    }
}

/// `None`: they are a member of nothing. A form's workspace must be one of theirs.
fn visit(
    headers: &HeaderMap,
    session: &Session,
    asked: Option<&str>,
    cookies: &mut Vec<HeaderValue>,
) -> Result<Option<Visit>, Failure> {
    let seen_last = WORKSPACE.of(headers, session.reached.secure);
    let named = |text: &str| {
        let id = WorkspaceId::parse(text).ok()?;
        session.workspaces.iter().find(|workspace| workspace.id == id)
    };
    let workspace = match asked {
        Some(text) => Some(named(text).ok_or_else(|| Failure::not_found("Workspace"))?),
        None => seen_last.and_then(named).or(session.workspaces.first()),
    };
    let Some(workspace) = workspace else { return Ok(None) };
    let caller = session.signed_in.caller_in(workspace, session.reached.address);
    let caller = caller.ok_or_else(|| Failure::not_found("Workspace"))?;
    let id = workspace.id.to_string();
    if seen_last != Some(id.as_str()) {
        cookies.push(WORKSPACE.set(&id, session.reached.secure));
    }
    Ok(Some(Visit {
        session: session.clone(),
        caller,
    }))
}

async fn with_form(request: Request) -> Result<(Request, Fields), Failure> {
    let (mut parts, body) = request.into_parts();
    let fields = Fields::parse(&FormBody::read(&parts.headers, body).await?.0);
    parts.extensions.insert(Form(fields.clone()));
    Ok((Request::from_parts(parts, Body::empty()), fields))
}

/// Whether a browser, if it says so, sent the form from a page of this host. The proof in the form says it for certain; a
/// browser that says otherwise is believed at once.
fn comes_from_here(app: &App, headers: &HeaderMap, reached: &Reached) -> bool {
    if let Some(site) = headers.get("sec-fetch-site")
        && site != "same-origin"
        && site != "none"
    {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let authority_of = |url: &str| url.parse::<Uri>().ok()?.into_parts().authority;
    let origin = origin.to_str().ok().and_then(authority_of);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok());
    let public = app.settings.public_url.as_deref().and_then(authority_of);
    origin.is_some_and(|origin| {
        [host, public, authority_of(&reached.base)]
            .into_iter()
            .flatten()
            .any(|ours| ours == origin)
    })
}

/// Whether the browser runs on this machine, going by the name that it used.
fn is_loopback(base: &str) -> bool {
    let Some(uri) = base.parse::<Uri>().ok() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_address = address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    is_address || host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost")
}

/// To the sign-in page, and from there to where one wanted to go.
fn to_sign_in(uri: &Uri) -> Response {
    let target = uri.path_and_query().map_or("/dashboard", |target| target.as_str());
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("next", target)
        .finish();
    see_other(&format!("/dashboard/sign-in?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for (base, expected) in [
            ("http://localhost:8787", true),
            ("http://tollgate.LOCALHOST", true),
            ("http://127.0.0.1:8787", true),
            ("http://[::1]:8787", true),
            ("http://192.0.2.1", false),
            ("https://tollgate.example.com", false),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(base), expected, "{base}");
        }
    }
}
