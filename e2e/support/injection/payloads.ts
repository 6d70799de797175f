/** What a hostile caller writes where a name, a value or a path is asked for. */
export type PayloadKind =
  | 'shell'
  | 'option'
  | 'path'
  | 'sql'
  | 'template'
  | 'header'
  | 'prototype'
  | 'number'
  | 'unicode'
  | 'terminal'
  | 'url'
  | 'script'
  | 'long'

export interface Payload {
  readonly kind: PayloadKind
  readonly text: string
}

/** What a payload tries to make happen. */
export interface Bait {
  /** A file that must never be made: a name that stands nowhere else, in a folder that everybody may write to. */
  readonly canaryPath: string
  readonly canaryName: string
  /** A server that must never be called. */
  readonly callbackUrl: string
}

export function payloadsFor(bait: Bait): readonly Payload[] {
  const { canaryPath, canaryName, callbackUrl } = bait
  const texts: Readonly<Record<PayloadKind, readonly string[]>> = {
    shell: [
      ...shellPayloads(canaryPath),
      ...shellPayloads(canaryName),
      `curl ${callbackUrl}/shell`,
      `$(curl ${callbackUrl}/x)`,
    ],
    option: optionPayloads(bait),
    path: pathPayloads,
    sql: sqlPayloads,
    template: templatePayloads,
    header: headerPayloads,
    prototype: [
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'hasOwnProperty',
      'valueOf',
      '__defineGetter__',
      '__proto__.polluted',
      'constructor.prototype',
    ],
    number: ['-1', '0x10', '1e400', '99999999999999999999999', '4294967296', '-0', 'NaN', 'Infinity', '٣', '1_000'],
    unicode: [
      '\ud800',
      'a\udfffb',
      '\u202egnp.exe',
      '\u2066a\u2069',
      '\ufeffx',
      'é\u0301'.repeat(40),
      '\ufffe',
      '\u2028',
      '🧨'.repeat(20),
      'ｓｈｏｐ',
      'ѕhop',
    ],
    terminal: terminalPayloads,
    url: urlPayloads(callbackUrl),
    script: scriptPayloads,
    long: ['a'.repeat(300), 'a'.repeat(3000), '-'.repeat(65), '%'.repeat(500), '/'.repeat(1000), 'a/'.repeat(700)],
  }
  const behindAName = ['shell', 'path', 'sql'] // what begins like a right value passes a check of the beginning alone
  return Object.entries(texts).flatMap(([kind, all]) =>
    [...all, ...(behindAName.includes(kind) ? all.map((text) => `shop${text}`) : [])].map((text) => ({
      kind: kind as PayloadKind,
      text,
    })),
  )
}

function shellPayloads(file: string): string[] {
  return [
    `$(touch ${file})`,
    `;touch ${file}`,
    `; touch ${file} #`,
    `\`touch ${file}\``,
    `|touch ${file}`,
    `||touch ${file}`,
    `&&touch ${file}`,
    `&touch ${file}&`,
    `\ntouch ${file}\n`,
    `';touch ${file};'`,
    `";touch ${file};"`,
    `>${file}`,
    `x$IFS;touch\${IFS}${file}`,
    `$(touch\${IFS}${file})`,
    `{touch,${file}}`,
    `<(touch ${file})`,
    `!touch ${file}`,
    `ext::sh -c touch% ${file}`,
    `@${file}`,
  ]
}

function optionPayloads({ canaryPath, callbackUrl }: Bait): string[] {
  return [
    `--upload-pack=touch ${canaryPath}`,
    `--receive-pack=touch ${canaryPath}`,
    `-oProxyCommand=touch ${canaryPath}`,
    `--output=${canaryPath}`,
    `--exec=touch ${canaryPath}`,
    `-c core.fsmonitor=touch ${canaryPath}`,
    `--config=core.sshCommand=touch ${canaryPath}`,
    `--git-dir=/tmp`,
    `--require=${canaryPath}`,
    `--eval=require('fs').writeFileSync('${canaryPath}','')`,
    `--registry=${callbackUrl}`,
    '--help',
    '--version',
    '--',
    '-',
    '-rf',
  ]
}

const pathPayloads = [
  '../../../../../../etc/passwd',
  '..%2f..%2f..%2fetc%2fpasswd',
  '%2e%2e/%2e%2e/',
  '..%252f..%252f',
  '..',
  '.',
  '/etc/passwd',
  '..\\..\\windows',
  'shop\u0000.json',
  'shop%00',
  './shop',
  'shop/../shop',
  '.git/config',
  'shop/',
  '//',
  '~root',
  '/proc/self/environ',
  '%',
  '%zz',
  '%c0%ae%c0%ae',
]

const sqlPayloads = [
  "' or '1'='1",
  "'; drop table apps; --",
  '" or ""="',
  "shop'--",
  "1' union select null, null --",
  '\\',
  "\\'; select pg_sleep(20); --",
  '$$; select pg_sleep(20); $$',
  '$1',
  '%s',
  "E'\\x00'",
  '*/ select 1 /*',
]

const templatePayloads = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: for a shell or a template to expand, not here
  '${7*7}',
  '{{7*7}}',
  '#{7*7}',
  '<%= 7*7 %>',
  '%n%n%s%s%x',
  '%(name)s',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: for a shell or a template to expand, not here
  '${jndi:ldap://127.0.0.1/x}',
  '{0}',
  '$GANTRY_HOME',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: for a shell or a template to expand, not here
  '${HOME}',
  '!!js/function "function(){}"',
  '@/etc/passwd',
  "$&$`$'",
]

const headerPayloads = [
  'a\r\nX-Injected: yes',
  'a\nX-Injected: yes',
  'a\rX-Injected: yes',
  'a\r\n\r\n<script>injected()</script>',
  '%0d%0aX-Injected:%20yes',
  'a\u560d\u560aX-Injected: yes',
  'a\u0085X-Injected: yes',
  'bytes=0-1\r\nContent-Length: 0',
]

/** What a terminal would obey: colours and positions, titles, the clipboard, hyperlinks, reports, 8-bit controls. */
export const terminalPayloads: readonly string[] = [
  '\u001b[2J',
  '\u001b[1;1H',
  '\u001b[10A\u001b[2K',
  '\u001b[6n',
  '\u001b[c',
  '\u001b[?1049h',
  '\u001b[?25l',
  '\u001b[8;1;1t',
  '\u001b[21t',
  '\u001b[4i',
  '\u001b[200~pasted\u001b[201~',
  '\u001b]0;title\u0007',
  '\u001b]2;title\u001b\\',
  '\u001b]52;c;dG91Y2g=\u0007',
  '\u001b]8;;file:///etc/passwd\u0007link\u001b]8;;\u0007',
  '\u001b]1337;File=inline=1:AAAA\u0007',
  '\u001b]4;1;?\u0007',
  '\u001bP$q"p\u001b\\',
  '\u001b_private\u001b\\',
  '\u001b^message\u001b\\',
  '\u001bc',
  '\u001b#8',
  '\u001b(0',
  '\u001b7\u001b8',
  '\u001b',
  '\u001b[',
  '\u009b2J',
  '\u009d0;title\u009c',
  '\u0090q\u009c',
  '\u009f\u009c',
  '\u008d',
  'shown\rhidden',
  'wiped\b\b\b\b\bgone',
  '\u0007\u0007',
  '\u000e\u000f',
  '\u000b\u000c',
  '\u007f\u007f',
  'abc\u202etxt.exe',
  '\u2067right to left\u2069',
]

function urlPayloads(callbackUrl: string): string[] {
  const host = callbackUrl.replace('http://', '')
  return [
    callbackUrl,
    `${callbackUrl}/repository.git`,
    `http://user:secret@${host}/`,
    `//${host}/x`,
    `git://${host}/x`,
    `ssh://${host}/x`,
    `http://[::ffff:127.0.0.1]:${host.split(':')[1]}/`,
    `gopher://${host}/_x`,
    'file:///etc/passwd',
    'file://localhost/etc/passwd',
    'data:text/html,<script>injected()</script>',
    'javascript:injected()',
    'http://169.254.169.254/latest/meta-data/',
  ]
}

/** Each has a `<`, a quote or a scheme that a page has to escape; each names `injected`. */
export const scriptPayloads: readonly string[] = [
  ...['script', 'SCRIPT', 'ScRiPt', 'script/x', 'script\n', 'script\t'].map((tag) => `<${tag}>injected()</script>`),
  ...['img', 'image', 'video', 'audio', 'input', 'object', 'embed'].map((tag) => `<${tag} src=x onerror=injected()>`),
  ...['svg', 'body', 'iframe', 'style', 'link', 'marquee', 'details'].map((tag) => `<${tag} onload=injected()>`),
  ...['"', "'", '`', '">', "'>", '</title>', '</h1>', '</code>', '</p>', '-->', ']]>', '</textarea>'].map(
    (end) => `${end}<script>injected()</script>`,
  ),
  '<a href="javascript:injected()">x</a>',
  '<base href="http://127.0.0.1/injected/">',
  '<meta http-equiv=refresh content="0;url=javascript:injected()">',
  '<form action=javascript:injected()><button>x</button></form>',
  '<svg><animate onbegin=injected() attributeName=x>',
  '<math><mtext><style><img src=x onerror=injected()>',
  '<!--><script>injected()</script>',
  '<?xml version="1.0"?><script>injected()</script>',
  '" autofocus onfocus=injected() x="',
  "' style='animation-name:x' onanimationstart='injected()",
  '+ADw-script+AD4-injected()+ADw-/script+AD4-<b>',
]
