//! One row of the table of endpoints: what is asked, who may ask, who answers, and how it is documented.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use tollgate_domain::permission::Permission;

use crate::App;
use crate::catalogue::Entry;
use crate::extract::body::Shape;
use crate::extract::form::FORM;
use crate::extract::list::{Filter, Listing, Number};

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody, as often as they like: nothing is looked up.
    Open,
    /// Whoever presents a client token: the verdict on it is the answer.
    ClientToken,
    /// Anybody; a credential that is sent must be valid.
    Optional,
    /// Any valid API key.
    AnyKey,
    /// An API key with this permission, or any key for itself.
    Itself(Permission),
    /// An API key with this permission.
    Needs(Permission),
}

impl Access {
    /// Whether an API key may be sent, and is looked at.
    pub(crate) fn knows_keys(self) -> bool {
        !matches!(self, Self::Open | Self::ClientToken)
    }
}

/// Which house rules an endpoint keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// The contract, to the letter.
    Compatible,
    /// Ours, under `/tollgate`; 401 where a credential is missing or invalid.
    Native,
    /// Beside both: for machines that watch, and for documents.
    Plain,
}

/// A row of the table. Built by [`Endpoint::new`] and the methods that follow it.
pub struct Endpoint {
    /// What is done.
    pub method: Method,
    /// With `{placeholders}`.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
    /// Which rules.
    pub surface: Surface,
    pub(crate) handler: MethodRouter<App>,
    pub(crate) docs: Docs,
}

/// What the OpenAPI document says of an endpoint.
pub(crate) struct Docs {
    pub(crate) operation_id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) body: Option<&'static Shape>,
    /// The body's media type.
    pub(crate) media_type: &'static str,
    pub(crate) listing: Option<&'static Listing>,
    /// Beside the listing's.
    pub(crate) filters: &'static [Filter],
    pub(crate) numbers: &'static [Number],
    pub(crate) parameters: &'static [Parameter],
    pub(crate) idempotent: bool,
    /// Whether a success says where it stands in the sequence.
    pub(crate) placed: bool,
    pub(crate) success: u16,
    pub(crate) answer: Answer,
    /// Documents of its own kind with other statuses, and what they say.
    pub(crate) otherwise: Vec<(u16, &'static str)>,
    pub(crate) errors: Vec<&'static Entry>,
}

/// A parameter of the query, or a header, that the handler reads by itself.
pub(crate) struct Parameter {
    /// `query` or `header`.
    pub(crate) place: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// The values it takes; none: any.
    pub(crate) values: &'static [&'static str],
}

/// What a success holds.
pub(crate) enum Answer {
    /// `data` and `meta` around one of these.
    One(fn(&mut SchemaGenerator) -> Schema),
    /// `data` and `meta` around many of these; paged when the endpoint has a listing.
    Many(fn(&mut SchemaGenerator) -> Schema),
    /// Nothing: 204.
    Nothing,
    /// A document of its own kind.
    Raw(&'static str),
}

impl Answer {
    /// `data` is one `T`.
    pub(crate) fn one<T: JsonSchema>() -> Self {
        Self::One(SchemaGenerator::subschema_for::<T>)
    }

    /// `data` is an array of `T`.
    pub(crate) fn many<T: JsonSchema>() -> Self {
        Self::Many(SchemaGenerator::subschema_for::<T>)
    }
}

impl Endpoint {
    pub(crate) fn new<H, T>(
        (method, path): (Method, &'static str),
        (surface, access): (Surface, Access),
        handler: H,
        (operation_id, summary): (&'static str, &'static str),
        answer: Answer,
    ) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("the table holds ordinary methods");
        Self {
            method,
            path,
            access,
            surface,
            handler: on(filter, handler),
            docs: Docs {
                operation_id,
                summary,
                body: None,
                media_type: "application/json",
                listing: None,
                filters: &[],
                numbers: &[],
                parameters: &[],
                idempotent: false,
                placed: false,
                success: 200,
                answer,
                otherwise: Vec::new(),
                errors: Vec::new(),
            },
        }
    }

    /// Takes a body of this shape.
    pub(crate) fn body(mut self, shape: &'static Shape) -> Self {
        self.docs.body = Some(shape);
        self
    }

    /// Takes a form of this shape.
    pub(crate) fn form(mut self, shape: &'static Shape) -> Self {
        self.docs.media_type = FORM;
        self.body(shape)
    }

    /// Lists, with these parameters.
    pub(crate) fn listing(mut self, listing: &'static Listing) -> Self {
        self.docs.listing = Some(listing);
        self
    }

    /// Takes these lists of names.
    pub(crate) fn filters(mut self, filters: &'static [Filter]) -> Self {
        self.docs.filters = filters;
        self
    }

    /// Takes these parameters.
    pub(crate) fn numbers(mut self, numbers: &'static [Number]) -> Self {
        self.docs.numbers = numbers;
        self
    }

    /// Takes these parameters, which the handler reads by itself.
    pub(crate) fn parameters(mut self, parameters: &'static [Parameter]) -> Self {
        self.docs.parameters = parameters;
        self
    }

    /// Makes something: 201, and `Idempotency-Key` is understood.
    pub(crate) fn creates(mut self) -> Self {
        self.docs.success = 201;
        self.docs.idempotent = true;
        self
    }

    /// Says with [`SEQUENCE`](crate::envelope::SEQUENCE) where a change stands in the sequence.
    pub(crate) fn placed(mut self) -> Self {
        self.docs.placed = true;
        self
    }

    /// Answers a success with this status.
    pub(crate) fn success(mut self, status: u16) -> Self {
        self.docs.success = status;
        self
    }

    /// Can also answer with this status, outside the envelope.
    pub(crate) fn otherwise(mut self, status: u16, what: &'static str) -> Self {
        self.docs.otherwise.push((status, what));
        self
    }

    /// Can also answer these, beside what every endpoint of its kind can.
    pub(crate) fn errors(mut self, errors: &[&'static Entry]) -> Self {
        self.docs.errors.extend_from_slice(errors);
        self
    }
}
