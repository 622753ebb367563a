//! What a command that runs services says on stdout when they run: a line each, name first, for people and scripts.

use std::path::Path;

use bus::server::NatsServer;
use runtime::data::DataDir;
use trust::Secret;
use url::Url;

use super::config::Config;
use super::services::Service;

/// The lines.
pub fn text(
    services: &[Service],
    base: &Url,
    config: &Config,
    server: Option<&NatsServer>,
    data: &DataDir,
    context: Option<&Path>,
) -> String {
    let bus = match server {
        Some(server) => {
            format!("nats://{} (process {}, log {})", server.address(), server.pid(), server.log().display())
        }
        None => config.nats_url.as_ref().map(without_credentials).unwrap_or_default(),
    };
    let base = base.as_str().trim_end_matches('/');
    let mut lines: Vec<(&str, String)> = services.iter().map(|service| (service.name(), base.to_owned())).collect();
    lines.push(("bus", bus));
    lines.push(("data", data.root().display().to_string()));
    lines.extend(context.map(|path| ("context", path.display().to_string())));
    let lines: String = lines.iter().map(|(name, value)| format!("{name:<11} {value}\n")).collect();
    format!("{lines}running; Ctrl-C stops it in order\n")
}

/// One or several URLs, separated by commas, without user and password.
fn without_credentials(urls: &Secret<String>) -> String {
    let hosts = urls.expose().split(',').map(|url| url.rsplit_once('@').map_or(url, |(_, host)| host));
    hosts.map(|host| format!("nats://{}", host.trim().trim_start_matches("nats://"))).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_url_is_not_told() {
        let urls = Secret::new("nats://me:hunter2@a:4222,nats://b:4222".to_owned());
        assert_eq!(without_credentials(&urls), "nats://a:4222,nats://b:4222");
    }
}
