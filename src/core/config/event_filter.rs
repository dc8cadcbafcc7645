//! Selects the webhook events that are stored, by their type.

/// Which event types are stored, if `EVENT_KEEP` is not set: all except realtime events.
///
/// Each stored event costs one KV write, and the free plan has 1,000 writes a day
/// ([Workers KV: Limits](https://developers.cloudflare.com/kv/platform/limits/)). Chat messages would use them up.
pub const DEFAULT_EVENT_KEEP: &str = "*,!realtime.*,!of.websocket.*";

/// Decides by type which events are stored: see [`EventFilter::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilter(Vec<TypePattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct TypePattern {
    excludes: bool,
    /// A type, or the beginning of a type followed by `*`.
    text: String,
}

impl EventFilter {
    /// Reads patterns that are separated by commas. Spaces around a pattern are ignored, and so are empty patterns.
    ///
    /// - A pattern is an event type, or the beginning of event types followed by `*`.
    /// - A pattern after `!` excludes what it matches.
    /// - An event is stored if at least one pattern matches its type and no pattern excludes it.
    ///
    /// `None` if a pattern has any other form.
    ///
    /// ```
    /// use ofauth_edge::core::config::EventFilter;
    ///
    /// let filter = EventFilter::parse("rules.*, payout.created, !rules.draft").unwrap();
    /// assert!(filter.keeps(Some("rules.updated")));
    /// assert!(!filter.keeps(Some("rules.draft")));
    /// assert!(!filter.keeps(Some("realtime.chat_message.received")));
    /// assert!(EventFilter::parse("*.updated").is_none());
    /// ```
    pub fn parse(patterns: &str) -> Option<Self> {
        let patterns = patterns.split(',').map(str::trim).filter(|pattern| !pattern.is_empty());
        let parsed = patterns.map(|pattern| {
            let (excludes, text) = pattern.strip_prefix('!').map_or((false, pattern), |excluded| (true, excluded));
            let beginning = text.strip_suffix('*').unwrap_or(text);
            let is_valid = !text.is_empty() && !beginning.contains(['*', '!']);
            is_valid.then(|| TypePattern { excludes, text: text.to_owned() })
        });
        parsed.collect::<Option<_>>().map(Self)
    }

    /// Whether an event of this type is stored. `None` stands for a body whose signature is valid but that is not an
    /// event. Only the pattern `*` matches it.
    pub fn keeps(&self, event_type: Option<&str>) -> bool {
        let event_type = event_type.unwrap_or_default();
        let matches_any =
            |excludes| self.0.iter().any(|pattern| pattern.excludes == excludes && pattern.matches(event_type));
        matches_any(false) && !matches_any(true)
    }
}

impl TypePattern {
    fn matches(&self, event_type: &str) -> bool {
        self.text.strip_suffix('*').map_or(self.text == event_type, |beginning| event_type.starts_with(beginning))
    }
}
