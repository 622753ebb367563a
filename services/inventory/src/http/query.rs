//! Query parameters: how much of a document to show, and which page of a collection.

use runtime::http::ApiError;
use serde::Deserialize;

use crate::database::Page;

/// How much of a document is shown; Forklift's numbers, `all` or anything from 2 on being everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Detail {
    /// What a list of choices needs.
    Brief,
    /// What a table needs.
    Table,
    /// Everything.
    All,
}

/// The parameters as they come.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Parameters {
    detail: Option<String>,
    name: Option<String>,
    limit: Option<String>,
    offset: Option<String>,
}

impl Parameters {
    /// The wanted detail, or `default`.
    pub fn detail(&self, default: Detail) -> Result<Detail, ApiError> {
        match self.detail.as_deref() {
            None => Ok(default),
            Some("all") => Ok(Detail::All),
            Some(text) => match number("detail", text)? {
                0 => Ok(Detail::Brief),
                1 => Ok(Detail::Table),
                _ => Ok(Detail::All),
            },
        }
    }

    /// The wanted page.
    pub fn page(&self) -> Result<Page, ApiError> {
        Ok(Page {
            name: self.name.clone().filter(|name| !name.is_empty()),
            limit: self.limit.as_deref().map(|text| number("limit", text)).transpose()?,
            offset: self.offset.as_deref().map(|text| number("offset", text)).transpose()?.unwrap_or(0),
        })
    }
}

fn number(name: &str, text: &str) -> Result<u32, ApiError> {
    text.parse().map_err(|_| {
        let more = if name == "detail" { " or `all`" } else { "" };
        ApiError::bad_request(format!("`{name}` must be a whole number from 0{more}, not `{text}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(detail: Option<&str>, limit: Option<&str>) -> Parameters {
        Parameters {
            detail: detail.map(str::to_owned),
            limit: limit.map(str::to_owned),
            name: Some(String::new()),
            ..Parameters::default()
        }
    }

    #[test]
    fn detail_is_a_number_or_all() {
        let detail = |text| parameters(text, None).detail(Detail::Brief).ok();
        assert_eq!(detail(None), Some(Detail::Brief));
        assert_eq!(detail(Some("0")), Some(Detail::Brief));
        assert_eq!(detail(Some("1")), Some(Detail::Table));
        assert_eq!(detail(Some("7")), Some(Detail::All));
        assert_eq!(detail(Some("all")), Some(Detail::All));
        assert_eq!(detail(Some("-1")), None);
    }

    #[test]
    fn a_page_that_is_no_number_is_refused_by_name() {
        assert_eq!(parameters(None, Some("5")).page().unwrap(), Page { limit: Some(5), ..Page::default() });
        assert!(parameters(None, Some("x")).page().unwrap_err().message.contains("`limit`"));
    }
}
