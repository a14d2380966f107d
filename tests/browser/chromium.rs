//! A real browser: Debian's Chromium without a window, driven through WebDriver (<https://www.w3.org/TR/webdriver2/>).

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::actions::{Actions, InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::common::eventually;

/// A browser with one page; ends when dropped.
pub struct Browser {
    client: Client,
    runtime: Runtime,
    driver: Child,
    driver_address: String,
    _profile: TempDir,
}

/// Whether there is one here; says that the test is skipped if not.
pub fn is_installed(test: &str) -> bool {
    let found = ["chromium", "chromedriver"].iter().all(|program| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .any(|directory| directory.join(program).exists())
    });
    if !found {
        // Past the harness, which would keep it: scripts/test counts such lines.
        let _ = writeln!(
            std::io::stderr(),
            "\nskipped: {test}: chromium or chromedriver is not installed"
        );
    }
    found
}

/// chromedriver and its port; `None` if it has ended.
fn start_driver() -> Option<(Child, u16)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(driver.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let port = lines.find_map(|line| {
        let port = line.strip_prefix("ChromeDriver was started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    let Some(port) = port else {
        driver.wait().unwrap();
        return None;
    };
    Some((driver, port))
}

impl Browser {
    /// Opens a window of `width` by `height` CSS pixels.
    pub fn start(width: u32, height: u32, javascript: bool) -> Self {
        // On a busy machine its port may be taken before it listens, and it ends.
        let (driver, port) = (0..5)
            .find_map(|_| start_driver())
            .expect("chromedriver says where it listens");
        let profile = tempfile::tempdir().unwrap();
        let mut arguments: Vec<String> = [
            "--headless=new",
            "--no-sandbox", // CI runs as root, and in containers
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--force-prefers-reduced-motion",
        ]
        .map(str::to_owned)
        .into();
        arguments.push(format!("--window-size={width},{height}"));
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let mut options = json!({ "args": arguments });
        if !javascript {
            options["prefs"] = json!({ "profile.managed_default_content_settings.javascript": 2 });
        }
        let Value::Object(capabilities) = json!({
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
        }) else {
            unreachable!()
        };
        let driver_address = format!("http://127.0.0.1:{port}");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let client = runtime
            .block_on(
                ClientBuilder::new(connector)
                    .capabilities(capabilities)
                    .connect(&driver_address),
            )
            .unwrap();
        Self {
            client,
            runtime,
            driver,
            driver_address,
            _profile: profile,
        }
    }

    /// Goes there and waits until it is loaded.
    pub fn open(&self, address: &str) {
        self.runtime.block_on(self.client.goto(address)).unwrap();
    }

    /// Where it is.
    pub fn address(&self) -> String {
        self.runtime.block_on(self.client.current_url()).unwrap().to_string()
    }

    /// The visible text of each element that matches.
    pub fn texts(&self, css: &str) -> Vec<String> {
        self.runtime.block_on(async {
            let mut texts = Vec::new();
            for element in self.client.find_all(Locator::Css(css)).await.unwrap() {
                texts.push(element.text().await.unwrap_or_default());
            }
            texts
        })
    }

    /// What `return …` says in the page. Works without JavaScript of the page's own as well.
    pub fn evaluate(&self, script: &str) -> Value {
        self.runtime.block_on(self.client.execute(script, Vec::new())).unwrap()
    }

    /// Clicks the first element that matches.
    pub fn click(&self, css: &str) {
        self.runtime.block_on(async {
            let element = self
                .client
                .find(Locator::Css(css))
                .await
                .unwrap_or_else(|error| panic!("{css}: {error}"));
            element.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
        });
    }

    /// Chooses the option with this value.
    pub fn choose(&self, css: &str, value: &str) {
        self.runtime.block_on(async {
            let list = self.client.find(Locator::Css(css)).await.unwrap();
            list.select_by_value(value).await.unwrap();
        });
    }

    /// The place in the window of a point of the first element that matches, in shares of its width and height. Scrolls there.
    fn point(&self, css: &str, (x, y): (f64, f64)) -> (f64, f64) {
        let found = self.evaluate(&format!(
            "const e = document.querySelector({css:?}); e.scrollIntoView({{block: 'center'}}); \
             const b = e.getBoundingClientRect(); return [b.left + b.width * {x}, b.top + b.height * {y}]"
        ));
        (found[0].as_f64().unwrap(), found[1].as_f64().unwrap())
    }

    /// Moves the mouse over a point of an element.
    pub fn hover(&self, css: &str, at: (f64, f64)) {
        let to = self.point(css, at);
        self.mouse(&[(to, None)]);
    }

    /// Drags the mouse from one point of an element to another.
    pub fn drag(&self, css: &str, from: (f64, f64), to: (f64, f64)) {
        let (from, to) = (self.point(css, from), self.point(css, to));
        let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
        self.mouse(&[(from, Some(true)), (middle, None), (to, Some(false))]);
    }

    /// Moves to each point, then presses (true) or releases (false) the button.
    fn mouse(&self, steps: &[((f64, f64), Option<bool>)]) {
        let mut actions = MouseActions::new("mouse".to_owned());
        for ((x, y), button) in steps {
            actions = actions.then(PointerAction::MoveTo {
                duration: Some(Duration::from_millis(50)),
                x: *x,
                y: *y,
            });
            let button_action = match button {
                Some(true) => PointerAction::Down {
                    button: MOUSE_BUTTON_LEFT,
                },
                Some(false) => PointerAction::Up {
                    button: MOUSE_BUTTON_LEFT,
                },
                None => continue,
            };
            actions = actions.then(button_action);
        }
        self.runtime
            .block_on(self.client.perform_actions(Actions::from(actions)))
            .unwrap();
    }

    /// Presses a key; special ones as WebDriver writes them, such as `"\u{e012}"` for the left arrow.
    pub fn press(&self, css: &str, key: &str) {
        self.runtime.block_on(async {
            let element = self.client.find(Locator::Css(css)).await.unwrap();
            element.send_keys(key).await.unwrap();
        });
    }

    /// What the browser complained of since the last time: scripts that fail, files that are missing, what the policy forbids.
    pub fn complaints(&self) -> Vec<String> {
        // Not part of WebDriver; the driver of Chromium has it.
        let session = self.runtime.block_on(self.client.session_id()).unwrap().unwrap();
        let url = format!("{}/session/{session}/se/log", self.driver_address);
        let mut answer = ureq::post(url)
            .content_type("application/json")
            .send(r#"{"type":"browser"}"#)
            .unwrap();
        let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        let lines = answer["value"].as_array().unwrap().iter();
        lines.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until `return …` says true.
    pub fn wait_for(&self, what: &str, script: &str) {
        let held = eventually(|| self.evaluate(script) == Value::Bool(true));
        assert!(held, "in vain waited until {what}: {script}");
    }

    /// The whole page as a picture in `target/screenshots`, for people.
    pub fn keep_screenshot(&self, name: &str) {
        let size = self.evaluate("return [window.outerWidth, document.documentElement.scrollHeight + 100]");
        let side = |index: usize| u32::try_from(size[index].as_u64().unwrap()).unwrap();
        self.runtime
            .block_on(self.client.set_window_size(side(0), side(1)))
            .unwrap();
        self.keep_view(name);
    }

    /// What is seen of it now.
    pub fn keep_view(&self, name: &str) {
        let picture = self.runtime.block_on(self.client.screenshot()).unwrap();
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join(name).with_extension("png"), picture).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser; the driver alone would leave it behind.
        let _ = self.runtime.block_on(self.client.clone().close());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
