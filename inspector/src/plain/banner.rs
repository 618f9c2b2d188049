//! What stands above the first exchange.

use hookwire_capture::Ready;
use hookwire_signatures::Provider;

use super::Plain;
use crate::{sanitize::sanitize, theme::Style};

/// The columns of the labels, the longest being `forwards to`.
const LABEL: usize = 11;

impl Plain {
    /// Where to send webhooks, and where they go.
    ///
    /// ```text
    /// hookwire · shop
    ///
    ///   webhook URL  https://relay.example.com/shop/verification
    ///                paste it into the provider's dashboard
    ///   public URL   https://relay.example.com/shop
    ///   forwards to  http://localhost:3000
    ///   relay        https://relay.example.com
    ///   secrets      razorpay  env:RAZORPAY_WEBHOOK_SECRET
    ///                stripe    file:stripe.secret
    ///
    /// time      request               event               took  answer and signature
    /// ```
    ///
    /// Addresses are never cut or broken: they are there to be copied.
    pub(super) fn banner(&mut self, ready: &Ready) {
        let theme = self.theme;
        self.page.push('\n');
        theme.strong.paint("hookwire", &mut self.page);
        self.page.push_str(" · ");
        self.page.push_str(&sanitize(ready.endpoint.as_bytes()));
        self.page.push_str("\n\n");
        self.fact("webhook URL", theme.strong, &ready.webhook_url);
        if ready.webhook_url.ends_with('/') {
            // The app has routes of its own: which one takes webhooks is not ours to know.
            let example = format!("{0}verification reaches {1}/verification", ready.webhook_url, ready.target);
            self.fact("", theme.quiet, "add your app's route and paste it into the provider's dashboard:");
            self.fact("", theme.quiet, &example);
        } else {
            self.fact("", theme.quiet, "paste it into the provider's dashboard");
        }
        self.fact("public URL", Style::DEFAULT, &ready.public_url);
        self.fact("forwards to", Style::DEFAULT, &ready.target);
        self.fact("relay", Style::DEFAULT, &ready.relay);
        if let Some(api) = &ready.api {
            self.fact("local API", Style::DEFAULT, api);
        }
        self.secrets(&ready.secrets);
        self.page.push('\n');
        self.heading();
    }

    /// Which secrets are known, by provider and name; without any, how to give one.
    fn secrets(&mut self, secrets: &[(String, String)]) {
        if secrets.is_empty() {
            self.fact("secrets", Style::DEFAULT, "none: signatures are seen, but not judged");
            if let Some((provider, variable)) =
                Provider::ALL.iter().find_map(|it| Some((it, it.usual_env_names().first()?)))
            {
                let hint = format!("hint: `--secret {provider}=env:{variable}`, or `--env-file .env`");
                self.fact("", self.theme.quiet, &hint);
            }
        }
        let widest = secrets.iter().map(|(provider, _)| provider.len()).max().unwrap_or(0);
        for (index, (provider, name)) in secrets.iter().enumerate() {
            let label = if index == 0 { "secrets" } else { "" };
            self.fact(label, Style::DEFAULT, &format!("{provider:widest$}  {name}"));
        }
    }

    fn fact(&mut self, label: &str, style: Style, text: &str) {
        self.page.push_str("  ");
        self.theme.quiet.paint(&format!("{label:LABEL$}"), &mut self.page);
        self.page.push_str("  ");
        style.paint(&sanitize(text.as_bytes()), &mut self.page);
        self.page.push('\n');
    }
}
