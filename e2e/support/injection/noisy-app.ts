import { terminalPayloads } from './payloads.ts'

/** Writes every payload while it is built, and when it starts, and then does what `end` says. */
export function noisyApp(end: { readonly build: string; readonly start: string }): Record<string, string> {
  const say = `for (const [at, text] of require('./said.json').entries()) console.log('said ' + at + ' ' + text + ' end')\n`
  return {
    'package.json': JSON.stringify({ scripts: { build: 'node build.js', start: 'node server.js' } }),
    'said.json': JSON.stringify(terminalPayloads),
    'build.js': say + end.build,
    'server.js': say + end.start,
  }
}

export const serving =
  "require('node:http').createServer((q, r) => r.end(JSON.stringify(process.env))).listen(process.env.PORT)\n"

/** 8-bit controls and changes of direction are letters like others to most patterns. */
export const oddName = 'odd\u009b2J\u202etxt\u009d0;x\u009c'

/** Commands that show what others wrote. */
export const readingLines = [
  'logs -n 200',
  'builds',
  'builds logs latest',
  'deploys',
  'deploys show latest',
  'deploys logs latest',
  'deploys watch latest',
  'releases',
  'releases show',
  'ps',
  'apps',
  'apps show',
  'config',
  'config get P0',
  'tokens',
  'members',
  'members role odd\u202etxt viewer',
  'members invite odd\u202etxt --again',
  `tokens create ${oddName}x`,
  'audit',
  'members remove odd\u202etxt',
]
