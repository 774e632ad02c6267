-- Asks Tollgate whether a request may pass; used by apache.conf. One function for each scope that routes ask for.

local http = require "socket.http"

local address = "http://127.0.0.1:8787/tollgate/authorize"
http.TIMEOUT = 5

-- What Tollgate looks at; nothing else of the request goes there.
local told = { "Tollgate-Client-Token", "Paddle-Clienttoken", "Authorization", "Origin", "Referer" }

local function ask(r, query)
  -- A browser's preflight carries no token. The application answers it.
  if r.method == "OPTIONS" then
    return apache2.DECLINED
  end
  local headers = { ["X-Original-URI"] = r.unparsed_uri, ["X-Forwarded-For"] = r.useragent_ip }
  for _, name in ipairs(told) do
    headers[name] = r.headers_in[name]
  end
  local reached, status, answer = http.request { url = address .. query, headers = headers, redirect = false }
  if not reached then
    return 503 -- No answer: closed.
  end
  if status == 204 then
    for _, name in ipairs { "Tollgate-Token-Id", "Tollgate-Workspace-Id", "Tollgate-Environment" } do
      r.headers_in[name] = answer[name:lower()]
    end
    return apache2.DECLINED -- Whatever else is configured has its say.
  end
  for _, name in ipairs { "Tollgate-Denial", "WWW-Authenticate", "Retry-After" } do
    local value = answer[name:lower()]
    if value then
      r.err_headers_out[name] = value
    end
  end
  if status == 401 or status == 403 or status == 429 then
    return status
  end
  return 503
end

function authorize(r)
  return ask(r, "")
end

function authorize_reports(r)
  return ask(r, "?scope=reports")
end
