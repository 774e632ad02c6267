-- Asks Tollgate whether a request may pass; used by haproxy.cfg.
--
-- http-request lua.tollgate SCOPE    (`-` for no scope)
--
-- Sets txn.tollgate to `allowed` or to the status to answer with, and the rest of what Tollgate said beside it.

local authorize = "http://127.0.0.1:8787/tollgate/authorize"

-- What Tollgate looks at; nothing else of the request goes there.
local told = {
  "tollgate-client-token", "paddle-clienttoken", "authorization", "origin", "referer",
}

core.register_action("tollgate", { "http-req" }, function(txn, scope)
  local headers = { ["x-original-uri"] = { txn.sf:url() }, ["x-forwarded-for"] = { txn.sf:src() } }
  local received = txn.http:req_get_headers()
  for _, name in ipairs(told) do
    local values = received[name]
    if values then
      headers[name] = {}
      for place, value in pairs(values) do
        headers[name][place + 1] = value
      end
    end
  end

  local url = authorize
  if scope ~= "-" then
    url = url .. "?scope=" .. scope
  end
  local answer = core.httpclient():get { url = url, headers = headers, timeout = 5000 }

  local function first(name)
    local values = answer and answer.headers and answer.headers[name]
    return values and values[0] or ""
  end
  local status = answer and answer.status or 0
  local verdict = "503"
  if status == 204 then
    verdict = "allowed"
  elseif status == 401 or status == 403 or status == 429 then
    verdict = tostring(status)
  end
  txn:set_var("txn.tollgate", verdict)
  txn:set_var("txn.tollgate_denial", first("tollgate-denial"))
  txn:set_var("txn.tollgate_challenge", first("www-authenticate"))
  txn:set_var("txn.tollgate_retry_after", first("retry-after"))
  txn:set_var("txn.tollgate_token_id", first("tollgate-token-id"))
  txn:set_var("txn.tollgate_workspace_id", first("tollgate-workspace-id"))
  txn:set_var("txn.tollgate_environment", first("tollgate-environment"))
end, 1)
