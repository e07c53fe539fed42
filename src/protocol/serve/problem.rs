//! What is answered when a request is refused: problem details (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is at this address.
    NotFound,
    /// The address takes other methods.
    Method,
    /// The host is none of this server's.
    Host,
    /// The page that asks may not.
    Origin,
    /// The body is of another type.
    MediaType,
    /// The answer is asked for in a form that there is not.
    NotAcceptable,
    /// The body is too long.
    TooLarge,
    /// The body came too slowly, or not at all.
    Timeout,
    /// The body is not a request.
    Request,
    /// More orders are asked for than one request may.
    TooMany,
    /// No such shop.
    UnknownShop,
    /// All clients of the shop share a key that opens orders.
    SharedSecret,
    /// The keys of a user or a shop are asked for without a token.
    NoToken,
    /// The token is not that of the user or the shop, or not the last one.
    BadToken,
    /// The user was not admitted, or was revoked.
    NotAdmitted,
    /// The shop has no ids left.
    PoolEmpty,
    /// The shop's keys seal nothing now.
    OutOfDate,
    /// A line has not the form of a sealed order.
    Line,
    /// There is no ticket.
    NoTicket,
    /// The service did not sign the ticket.
    BadTicket,
    /// The ticket has expired.
    TicketExpired,
    /// The ticket is for another shop.
    WrongShop,
    /// The ticket does not name the key of a line.
    WrongId,
    /// Another order was kept under the same id.
    IdUsed,
    /// More than this address, or all for this shop, may ask for in an hour.
    Limit,
    /// Too much is asked for at once.
    Busy,
    /// Something at the server failed.
    Unavailable,
}

impl Fault {
    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotFound | Self::UnknownShop => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Host => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin
            | Self::SharedSecret
            | Self::BadToken
            | Self::NotAdmitted
            | Self::TicketExpired
            | Self::WrongShop
            | Self::WrongId => StatusCode::FORBIDDEN,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Request | Self::TooMany | Self::Line => StatusCode::BAD_REQUEST,
            Self::NoToken | Self::NoTicket | Self::BadTicket => StatusCode::UNAUTHORIZED,
            // Somebody has to do something before it can be tried again.
            Self::PoolEmpty | Self::OutOfDate | Self::IdUsed => StatusCode::CONFLICT,
            Self::Limit => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The fault for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::Method => "method",
            Self::Host => "host",
            Self::Origin => "origin",
            Self::MediaType => "media-type",
            Self::NotAcceptable => "not-acceptable",
            Self::TooLarge => "too-large",
            Self::Timeout => "timeout",
            Self::Request => "request-malformed",
            Self::TooMany => "too-many",
            Self::UnknownShop => "unknown-shop",
            Self::SharedSecret => "shared-secret",
            Self::NoToken => "no-token",
            Self::BadToken => "bad-token",
            Self::NotAdmitted => "not-admitted",
            Self::PoolEmpty => "pool-empty",
            Self::OutOfDate => "out-of-date",
            Self::Line => "line-malformed",
            Self::NoTicket => "no-ticket",
            Self::BadTicket => "bad-ticket",
            Self::TicketExpired => "ticket-expired",
            Self::WrongShop => "wrong-shop",
            Self::WrongId => "wrong-id",
            Self::IdUsed => "id-used",
            Self::Limit => "limit",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
        }
    }

    /// The fault for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::NotFound => "there is nothing at this address",
            Self::Method => "this address takes other methods",
            Self::Host => "this server does not answer for that host",
            Self::Origin => "this page may not ask here",
            Self::MediaType => "the body is of another type than expected",
            Self::NotAcceptable => "the answer has no such form",
            Self::TooLarge => "the body is too long",
            Self::Timeout => "the body did not arrive in time",
            Self::Request => "this is not a request",
            Self::TooMany => "more orders than one request may have",
            Self::UnknownShop => "there is no such shop here",
            Self::SharedSecret => "the key of this shop opens everybody's orders",
            Self::NoToken => "these keys are handed out against a token",
            Self::BadToken => "the token does not allow this",
            Self::NotAdmitted => "the user is not admitted to the shop",
            Self::PoolEmpty => "the shop has no transaction ids left",
            Self::OutOfDate => "the shop's keys are not valid now",
            Self::Line => "a line is not a sealed order",
            Self::NoTicket => "there is no ticket",
            Self::BadTicket => "the ticket is not one of the service",
            Self::TicketExpired => "the ticket has expired",
            Self::WrongShop => "the ticket is for another shop",
            Self::WrongId => "the ticket does not name the key of a line",
            Self::IdUsed => "another order was kept under the same id",
            Self::Limit => "too much was asked for in this hour",
            Self::Busy => "too much is asked for at once",
            Self::Unavailable => "the server cannot do this now",
        }
    }

    /// A problem with this fault alone.
    pub fn plain(self) -> Problem {
        Problem { fault: self, detail: None, line: None, retry_after: None }
    }

    /// A problem with this fault, explained.
    pub fn because(self, detail: impl ToString) -> Problem {
        Problem { detail: Some(detail.to_string()), ..self.plain() }
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub fault: Fault,
    /// More about it, for people.
    pub detail: Option<String>,
    /// The line of the body that is at fault, counted from 1.
    pub line: Option<usize>,
    /// Seconds after which it may be tried again.
    pub retry_after: Option<u64>,
}

impl Problem {
    /// The problem of a line, counted from 1.
    pub fn at_line(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { fault, detail, line, retry_after } = self;
        let mut body = json!({ "title": fault.title(), "status": fault.status().as_u16(), "code": fault.code() });
        if let Some(detail) = detail {
            body["detail"] = json!(detail);
        }
        if let Some(line) = line {
            body["line"] = json!(line);
        }
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response =
            (fault.status(), [(header::CONTENT_TYPE, kind)], body.to_string()).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if fault.status() == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response.extensions_mut().insert(fault);
        response
    }
}
