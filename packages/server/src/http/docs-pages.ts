import { type ErrorCode, errorCatalogue, errorCodes } from '@gantry/api'

/** The API reference: Scalar's, with nothing loaded from elsewhere and nothing sent there. */
export function referencePage(nonce: string): string {
  const configuration = {
    url: '/v1/openapi.json',
    withDefaultFonts: false,
    telemetry: false,
    hideClientButton: true,
    showDeveloperTools: 'never',
    showToolbar: 'never',
    documentDownloadType: 'json',
    agent: { disabled: true },
    mcp: { disabled: true },
  }
  // The page's own origin is the server, whatever host name the reader used; no proxy stands between.
  const script = `Scalar.createApiReference('#app', { ...${JSON.stringify(configuration)}, proxyUrl: '', servers: [{ url: location.origin }] })`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta property="csp-nonce" content="${nonce}">
<link rel="icon" href="data:,">
<title>Gantry API</title>
</head>
<body>
<noscript>This page needs JavaScript. The document itself is at <a href="/v1/openapi.json">/v1/openapi.json</a>.</noscript>
<div id="app"></div>
<script src="/docs/reference.js"></script>
<script nonce="${nonce}">${script}</script>
</body>
</html>
`
}

export function errorPage(code: ErrorCode, nonce: string): string {
  const { title, status, description } = errorCatalogue[code]
  const body = `<p><a href="/docs/errors">Error codes</a></p>
<h1>${escapeHtml(title)}</h1>
<p><code>${code}</code> · HTTP ${status}</p>
<p>${inlineMarkdown(description)}</p>`
  return simplePage(`${title} (${code})`, body, nonce)
}

export function errorListPage(nonce: string): string {
  const rows = errorCodes.map((code) => {
    const { title, status } = errorCatalogue[code]
    return `<tr><td><a href="/docs/errors/${code}"><code>${code}</code></a></td><td>${status}</td><td>${escapeHtml(title)}</td></tr>`
  })
  const head = '<tr><th scope="col">Code</th><th scope="col">HTTP</th><th scope="col">Meaning</th></tr>'
  const body = `<p><a href="/docs">API reference</a></p>
<h1>Error codes</h1>
<table><thead>${head}</thead><tbody>
${rows.join('\n')}
</tbody></table>`
  return simplePage('Error codes', body, nonce)
}

const style = `:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}
code{font-family:ui-monospace,monospace}
table{border-collapse:collapse}td,th{text-align:left;padding:.25rem 1rem .25rem 0;vertical-align:top}`

function simplePage(title: string, body: string, nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)} · Gantry</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`
}

/** The little Markdown that the catalogue uses: code spans. */
function inlineMarkdown(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, (char) => names[char] ?? char)
}
