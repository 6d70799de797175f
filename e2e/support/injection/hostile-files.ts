import type { Bait, Payload } from './payloads.ts'

/** The files of one push, and whether the app that they make can go live. */
export interface HostileTree {
  readonly what: string
  readonly files: Readonly<Record<string, string>>
}

const server = "require('node:http').createServer((q, r) => r.end('ok')).listen(process.env.PORT)\n"

/** What package.json and Procfile can have that is read by Gantry itself. Their commands are the app's own shell. */
export function hostileManifests({ canaryName, callbackUrl }: Bait): readonly HostileTree[] {
  const shell = `$(touch ${canaryName});touch ${canaryName}`
  const quoted = `x';touch ${canaryName};'.js`
  const json = (fields: object) => JSON.stringify({ name: 'app', scripts: { start: 'node server.js' }, ...fields })
  const packageJson = (what: string, text: string): HostileTree => ({
    what: `package.json: ${what}`,
    files: { 'package.json': text, 'server.js': server, [quoted]: server, Procfile: '' },
  })
  const procfile = (what: string, text: string): HostileTree => ({
    what: `Procfile: ${what}`,
    files: { 'package.json': json({}), 'server.js': server, Procfile: text },
  })
  const withoutScripts = (main: string) => JSON.stringify({ main })
  return [
    packageJson('a name that is shell', json({ name: shell, version: shell, description: shell })),
    packageJson('a main that is shell', withoutScripts(quoted)),
    packageJson('a main that leads out', withoutScripts('../../../../../etc/passwd')),
    packageJson('a main that is an option', withoutScripts(`--require=${canaryName}`)),
    packageJson('an engine that is shell', json({ engines: { node: shell } })),
    packageJson('an engine that is an address', json({ engines: { node: callbackUrl, npm: callbackUrl } })),
    packageJson('an engine beyond all numbers', json({ engines: { node: `>=${'9'.repeat(400)}` } })),
    packageJson('an engine that takes long to match', json({ engines: { node: `${'^1 || '.repeat(2000)}1` } })),
    packageJson('an engine with terminal controls', json({ engines: { node: '\u001b]0;x\u0007\u009b2J' } })),
    packageJson('a package manager that is an option', json({ packageManager: `--eval=${shell}` })),
    packageJson('prototype keys', '{"__proto__":{"scripts":{"start":"x"}},"constructor":{"prototype":{}}}'),
    packageJson('scripts that are no text', json({ scripts: { start: { toString: 1 }, build: 5 } })),
    packageJson('deep nesting', `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`),
    packageJson('no JSON but controls', '\u001b[2J\u001b]52;c;eA==\u0007{'),
    packageJson('a list', '[]'),
    procfile('a process type that is shell', `${shell}: node server.js\n`),
    procfile('a process type that is an option', '--upload-pack=x: node server.js\n'),
    procfile(
      'process types of every prototype',
      'web: node server.js\nconstructor: node server.js\ntoString: sleep 60\n',
    ),
    procfile('a prototype key', '__proto__: node server.js\n'),
    procfile('terminal controls', 'web: node server.js\n\u001b]0;x\u0007: x\n'),
    procfile('8-bit controls', 'web: node server.js \u009b2J\n\u009d0;x\u009c: x\n'),
    procfile('NUL', 'web: node server.js\u0000\n'),
    procfile('a line without end', `web: ${'x'.repeat(100_000)}\n`),
    procfile('a process type without end', `${'w'.repeat(5000)}: node server.js\n`),
    procfile('more process types than there are', Array.from({ length: 200 }, (_, i) => `w${i}: sleep 1`).join('\n')),
  ]
}

/** Names that git takes for a branch, of those that are hostile. */
export function hostileBranches(payloads: readonly Payload[]): readonly string[] {
  const names = payloads
    .filter(({ kind }) => kind !== 'long')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: for a shell or a template to expand, not here
    .map(({ text }) => text.replaceAll(' ', '${IFS}'))
    .filter((text) => text.isWellFormed() && isRefName(text))
  return [...new Set(names)].map((name) => `x${name}`)
}

function isRefName(name: string): boolean {
  return (
    !/[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|[./]$|^[./]/.test(name) &&
    Buffer.byteLength(name) < 200
  )
}

/** Names that a file system takes for a file, of those that are hostile. */
export function hostileFileNames(payloads: readonly Payload[]): readonly string[] {
  const names = payloads
    .map(({ text }) => text)
    .filter((text) => !/[\u0000/]/.test(text) && text.isWellFormed() && !/^\.{0,2}$|^\.git/i.test(text))
  return [...new Set(names)].filter((name) => Buffer.byteLength(name) < 200)
}
