//! What to paste into a front end. Where Tollgate is comes from the request, so it is written as text of the language that
//! it stands in: nothing in it ends a string, a tag or a script.

use std::fmt::Write as _;

use tollgate_domain::client_token::TokenText;
use tollgate_domain::environment::Environment;

/// For the browser library.
pub(super) fn library(base: &str, token: TokenText) -> String {
    let environment = match token.environment() {
        Environment::Sandbox => "sandbox",
        Environment::Live => "live",
    };
    format!(
        "<script type=\"module\">
  import {{ Tollgate }} from {script};

  const client = await Tollgate.initialize({{
    token: '{token}',
    baseUrl: {base},
    environment: '{environment}',
  }});
</script>
",
        script = string(&format!("{base}/js/v1/tollgate.js")),
        base = string(base),
        token = token.as_str(),
    )
}

/// For a page that starts Paddle.js.
pub(super) fn paddle(base: &str, token: TokenText) -> String {
    let environment = match token.environment() {
        Environment::Sandbox => "  Paddle.Environment.set('sandbox');\n",
        Environment::Live => "",
    };
    format!(
        "<script src=\"{script}\"></script>
<script>
{environment}  Paddle.Initialize({{ token: '{token}' }});
</script>
",
        script = attribute(&format!("{base}/paddle/v2/paddle.js")),
        token = token.as_str(),
    )
}

/// A string of JavaScript, inside a script of a page.
fn string(text: &str) -> String {
    let mut quoted = String::from("'");
    for character in text.chars() {
        match character {
            '\'' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            // A tag of HTML would be seen before the script is.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            plain => quoted.push(plain),
        }
    }
    quoted.push('\'');
    quoted
}

/// The value of an attribute of HTML, in double quotes.
fn attribute(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('"', "&quot;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use tollgate_domain::ambient::Entropy;

    use super::*;

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    fn token(environment: Environment) -> TokenText {
        TokenText::generate(environment, &Zeros)
    }

    #[test]
    fn snippets_name_the_token_its_environment_and_this_server() {
        let sandbox = token(Environment::Sandbox);
        assert_eq!(
            library("https://tollgate.example/under", sandbox),
            format!(
                "<script type=\"module\">
  import {{ Tollgate }} from 'https://tollgate.example/under/js/v1/tollgate.js';

  const client = await Tollgate.initialize({{
    token: '{}',
    baseUrl: 'https://tollgate.example/under',
    environment: 'sandbox',
  }});
</script>
",
                sandbox.as_str()
            )
        );
        assert_eq!(
            paddle("https://tollgate.example", sandbox),
            format!(
                "<script src=\"https://tollgate.example/paddle/v2/paddle.js\"></script>
<script>
  Paddle.Environment.set('sandbox');
  Paddle.Initialize({{ token: '{}' }});
</script>
",
                sandbox.as_str()
            )
        );
    }

    #[test]
    fn live_tokens_are_for_production() {
        let live = token(Environment::Live);
        assert!(library("https://tollgate.example", live).contains("environment: 'live'"));
        assert!(!paddle("https://tollgate.example", live).contains("Environment"));
    }

    #[test]
    fn an_odd_address_stays_inside_its_string() {
        let odd = "https://a'b\\c\"d</script>&\u{2028}\n";
        let script = library(odd, token(Environment::Sandbox));
        assert!(
            script.contains(r#"baseUrl: 'https://a\'b\\c"d\u003c/script\u003e\u0026\u2028\u000a',"#),
            "{script}"
        );
        let page = paddle(odd, token(Environment::Sandbox));
        assert!(
            page.starts_with("<script src=\"https://a'b\\c&quot;d&lt;/script&gt;&amp;"),
            "{page}"
        );
        for snippet in [script, page] {
            let ends = snippet.matches("</script>").count();
            assert_eq!(ends, snippet.matches("<script").count(), "{snippet}");
        }
    }
}
