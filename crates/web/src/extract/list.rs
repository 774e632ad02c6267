//! The query of a list: cursor, length, order and filters. One [`Listing`] per list reads the parameters, describes
//! them in the OpenAPI document, and builds the address of the next page.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tollgate_domain::id::{Id, Kind};
use tollgate_domain::text::TextRule;
use tollgate_domain::time::Timestamp;
use tollgate_storage::{Order, Page, Slice};

use crate::envelope::Pagination;
use crate::error::{ApiError, Problem};
use crate::extract::body::not_one_of;
use crate::front_door::BaseUrl;

/// How a list is asked for.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) default_order: Order,
    pub(crate) default_limit: usize,
    pub(crate) max_limit: usize,
    /// The order parameter takes these fields; all of them are the id.
    pub(crate) order_field: &'static str,
    pub(crate) filters: &'static [Filter],
}

/// A parameter that takes a list of names, separated by commas.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// The names it takes; `None`: free text, an id or a time.
    pub(crate) values: Option<fn() -> Vec<String>>,
}

/// A parameter that takes a whole number within these.
#[derive(Debug)]
pub(crate) struct Number {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) min: i64,
    pub(crate) max: i64,
}

/// The query as it came, and all that the next page's address is made of.
pub(crate) struct ListQuery {
    pairs: Vec<(String, String)>,
    address: String,
    count: bool,
    problems: Vec<Problem>,
    bad_times: Vec<Problem>,
}

impl<S: Send + Sync> FromRequestParts<S> for ListQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let BaseUrl(base) = parts
            .extensions
            .get()
            .expect("the front door gives every request its base URL");
        let query = parts.uri.query().unwrap_or_default();
        let skips = parts
            .headers
            .get("skip-count")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        Ok(Self {
            pairs: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            address: format!("{base}{}", parts.uri.path()),
            count: !skips,
            problems: Vec::new(),
            bad_times: Vec::new(),
        })
    }
}

impl ListQuery {
    /// Cursor, length and order. Problems are kept for [`finish`](Self::finish).
    pub(crate) fn page<K: Kind>(&mut self, listing: &Listing) -> Page<K> {
        let after = self.once("after").and_then(|text| match Id::parse(&text) {
            Ok(id) => Some(id),
            Err(malformed) => {
                self.problem("after", malformed.to_string());
                None
            }
        });
        let limit = self
            .once("per_page")
            .map_or(listing.default_limit, |text| match whole_number(&text) {
                Some(number) if number >= 1 => usize::try_from(number).unwrap_or(usize::MAX).min(listing.max_limit),
                Some(_) => {
                    self.problem("per_page", "Must be greater than or equal to 1");
                    listing.default_limit
                }
                None => {
                    self.problem("per_page", "Invalid type. Expected: integer, given: string");
                    listing.default_limit
                }
            });
        let ascending = format!("{}[ASC]", listing.order_field);
        let descending = format!("{}[DESC]", listing.order_field);
        let order = self.once("order_by").map_or(listing.default_order, |text| {
            let (field, direction) = text.split_once('[').unwrap_or((&text, ""));
            let is_field = field == listing.order_field;
            if is_field && direction.eq_ignore_ascii_case("asc]") {
                Order::Ascending
            } else if is_field && direction.eq_ignore_ascii_case("desc]") {
                Order::Descending
            } else {
                self.problem("order_by", not_one_of(&[&ascending, &descending]));
                listing.default_order
            }
        });
        Page {
            after,
            order,
            limit,
            count: self.count,
        }
    }

    /// The names given for a filter, each known and once; nothing when the parameter is absent or empty.
    pub(crate) fn filter(&mut self, filter: &Filter) -> Vec<String> {
        let known = filter.values.map(|values| values()).unwrap_or_default();
        let mut names: Vec<String> = Vec::new();
        for name in self
            .once(filter.name)
            .unwrap_or_default()
            .split(',')
            .filter(|name| !name.is_empty())
        {
            if !known.iter().any(|known| known == name) {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                self.problem(filter.name, not_one_of(&known));
                break;
            }
            if !names.iter().any(|given| given == name) {
                names.push(name.to_owned());
            }
        }
        names
    }

    /// The name given for a filter that takes one of its names.
    pub(crate) fn one_of(&mut self, filter: &Filter) -> Option<String> {
        let mut names = self.filter(filter);
        if names.len() > 1 {
            let known = filter.values.map(|values| values()).unwrap_or_default();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            self.problem(filter.name, not_one_of(&known));
        }
        names.pop()
    }

    /// The ids given for a filter.
    pub(crate) fn ids<K: Kind>(&mut self, filter: &Filter) -> Vec<Id<K>> {
        let mut ids = Vec::new();
        for text in self
            .once(filter.name)
            .unwrap_or_default()
            .split(',')
            .filter(|text| !text.is_empty())
        {
            match Id::parse(text) {
                Ok(id) => ids.push(id),
                Err(malformed) => {
                    self.problem(filter.name, malformed.to_string());
                    break;
                }
            }
        }
        ids
    }

    /// The text given for a filter, at most `longest` code points; nothing when it is absent or empty.
    pub(crate) fn text(&mut self, filter: &Filter, longest: usize) -> Option<String> {
        let text = self.once(filter.name).filter(|text| !text.is_empty())?;
        let rule = TextRule {
            min: 1,
            max: longest,
            multi_line: false,
        };
        if let Err(error) = rule.check(&text) {
            self.problem(filter.name, error.to_string());
        }
        Some(text)
    }

    /// The number given for a parameter.
    pub(crate) fn number(&mut self, parameter: &Number) -> Option<i64> {
        let text = self.once(parameter.name)?;
        let problem = match (whole_number(&text), text.parse::<i64>()) {
            (None, _) => "Invalid type. Expected: integer, given: string".to_owned(),
            (Some(number), _) if number < parameter.min => {
                format!("Must be greater than or equal to {}", parameter.min)
            }
            (_, Ok(number)) if number <= parameter.max => return Some(number),
            _ => format!("Must be less than or equal to {}", parameter.max),
        };
        self.problem(parameter.name, problem);
        None
    }

    /// The moment given for a filter.
    pub(crate) fn time(&mut self, filter: &Filter) -> Option<Timestamp> {
        let text = self.once(filter.name).filter(|text| !text.is_empty())?;
        let time = Timestamp::parse(&text);
        if let Err(error) = &time {
            self.bad_times.push(Problem::new(filter.name, error.to_string()));
        }
        time.ok()
    }

    /// 400 with everything that was wrong.
    pub(crate) fn finish(&mut self) -> Result<(), ApiError> {
        let problems = std::mem::take(&mut self.problems);
        let bad_times = std::mem::take(&mut self.bad_times);
        if problems.is_empty() && !bad_times.is_empty() {
            return Err(ApiError::bad_times(bad_times));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ApiError::bad_request(problems))
        }
    }

    /// `meta.pagination` of a page whose last item has the id `last`.
    pub(crate) fn pagination<T>(self, limit: usize, slice: &Slice<T>, last: Option<String>) -> Pagination {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.pairs {
            if name != "after" || last.is_none() {
                query.append_pair(name, value);
            }
        }
        if let Some(last) = last {
            query.append_pair("after", &last);
        }
        let query = query.finish();
        let next = if query.is_empty() {
            self.address
        } else {
            format!("{}?{query}", self.address)
        };
        let total = slice.total.map_or(-1, |total| i64::try_from(total).unwrap_or(i64::MAX));
        Pagination {
            per_page: limit,
            next,
            has_more: slice.has_more,
            estimated_total: total,
        }
    }

    /// A parameter that makes sense once.
    fn once(&mut self, name: &str) -> Option<String> {
        let mut values = self
            .pairs
            .iter()
            .filter(|(given, _)| given == name)
            .map(|(_, value)| value.clone());
        let first = values.next();
        let repeated = values.next().is_some();
        if repeated {
            self.problem(name, "Must be given once");
        }
        first
    }

    fn problem(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(field, message));
    }
}

/// A whole number of any length, cut to what an `i64` holds.
fn whole_number(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let limit = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    is_whole.then(|| text.parse().unwrap_or(limit))
}
