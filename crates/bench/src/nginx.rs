//! nginx with `auth_request`: one server that asks Tollgate, one that asks an upstream which always agrees.

use std::fmt::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How to get it.
pub(crate) const HOW: &str = "it needs nginx (Debian package nginx)";
const PATIENCE: Duration = Duration::from_secs(20);

/// An nginx that runs. Dropping it ends the processes.
pub(crate) struct Nginx {
    child: Child,
    /// One for each upstream, in their order.
    pub(crate) addresses: Vec<SocketAddr>,
    _dir: tempfile::TempDir,
}

impl Nginx {
    /// Whether there is one to start.
    pub(crate) fn is_there() -> bool {
        Command::new("nginx").arg("-v").output().is_ok()
    }

    /// One server for each upstream, which asks it about every request, and answers with a picture of 43 bytes.
    pub(crate) fn start(upstreams: &[SocketAddr]) -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut addresses = Vec::new();
        let mut servers = String::new();
        for (index, upstream) in upstreams.iter().enumerate() {
            let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
            addresses.push(address);
            write!(
                servers,
                "upstream check{index} {{ server {upstream}; keepalive 64; keepalive_requests 1000000000; }}
                 server {{
                   listen {address};
                   location / {{ auth_request /check; empty_gif; }}
                   location = /check {{
                     internal;
                     proxy_pass http://check{index}/tollgate/authorize;
                     proxy_http_version 1.1;
                     proxy_set_header Connection \"\";
                     proxy_set_header Content-Length \"\";
                     proxy_pass_request_body off;
                   }}
                 }}\n"
            )?;
        }
        let file = dir.path().join("nginx.conf");
        let shown = dir.path().display();
        std::fs::write(
            &file,
            format!(
                "daemon off; worker_processes 1; pid {shown}/pid; error_log stderr error;
                 events {{ worker_connections 1024; }}
                 http {{
                   access_log off; keepalive_requests 1000000000;
                   client_body_temp_path {shown}/a; proxy_temp_path {shown}/b; fastcgi_temp_path {shown}/c;
                   uwsgi_temp_path {shown}/d; scgi_temp_path {shown}/e;
                   {servers}
                 }}"
            ),
        )?;
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .args(["-p", &shown.to_string()])
            .stdout(Stdio::null())
            .spawn()
            .context("can't start nginx")?;
        let nginx = Self {
            child,
            addresses,
            _dir: dir,
        };
        let began = Instant::now();
        while nginx
            .addresses
            .iter()
            .any(|address| TcpStream::connect(address).is_err())
        {
            if began.elapsed() > PATIENCE {
                bail!("nginx did not start");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Killed, the master would leave its workers behind.
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        if let Err(error) = asked.and_then(|_| self.child.wait()) {
            eprintln!("could not end nginx: {error}");
        }
    }
}
