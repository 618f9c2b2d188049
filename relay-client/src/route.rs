//! Which app a path belongs to.

use crate::upstream::Target;

/// Requests below a path go to an app of their own.
#[derive(Clone, Debug)]
pub struct Route {
    /// The path, from its first slash. It covers itself and everything below it.
    pub prefix: String,
    /// The app.
    pub target: Target,
}

/// The app for a path: that of the longest matching prefix, else the default one.
pub(crate) fn choose<'a>(routes: &'a [Route], default: &'a Target, path: &[u8]) -> &'a Target {
    let covers = |route: &&Route| {
        let prefix = route.prefix.trim_end_matches('/').as_bytes();
        path.strip_prefix(prefix).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
    };
    routes
        .iter()
        .filter(covers)
        .max_by_key(|route| route.prefix.trim_end_matches('/').len())
        .map_or(default, |route| &route.target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins_and_prefixes_end_at_a_slash() {
        let target = |port: u16| port.to_string().parse::<Target>().unwrap();
        let route = |prefix: &str, port| Route { prefix: prefix.into(), target: target(port) };
        let routes = [route("/api", 1), route("/api/v2/", 2), route("/stripe", 3)];
        let default = target(9);
        let port = |path: &str| choose(&routes, &default, path.as_bytes()).port();
        assert_eq!([port("/api"), port("/api/"), port("/api/x"), port("/api/v2"), port("/api/v2/x")], [1, 1, 1, 2, 2]);
        assert_eq!([port("/apix"), port("/"), port(""), port("/stripe/hook"), port("/Stripe")], [9, 9, 9, 3, 9]);
        assert_eq!(choose(&[route("/", 5)], &default, b"/any").port(), 5);
    }
}
