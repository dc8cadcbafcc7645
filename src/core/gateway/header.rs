//! The value of a request header, whose lines the platform joins.

/// The value of a header that was sent once, or on several lines that all have the same value. `joined` is the values of
/// all lines, joined with a comma and a space as the Fetch standard joins them ("get, decode, and split").
///
/// A proxy or a client that sets a header twice repeats itself, and means one value. Lines with different values stay
/// joined: whoever reads the header refuses them.
///
/// ```
/// use ofauth_edge::core::gateway::single_value;
///
/// assert_eq!(single_value("acct_1, acct_1"), "acct_1");
/// assert_eq!(single_value("acct_1, acct_2"), "acct_1, acct_2");
/// ```
pub fn single_value(joined: &str) -> &str {
    const SEPARATOR: &str = ", ";
    // With a separator at its end, the text is the value and a separator, repeated. That is so if the text has a whole
    // number of such parts and, moved on by one part, equals itself.
    let length = joined.len() + SEPARATOR.len();
    let is_value = |end: usize| {
        let part = end + SEPARATOR.len();
        length.is_multiple_of(part) && joined.get(part..) == joined.get(..length - part - SEPARATOR.len())
    };
    let end = joined.match_indices(SEPARATOR).map(|(end, _)| end).find(|end| is_value(*end));
    end.and_then(|end| joined.get(..end)).unwrap_or(joined)
}
