export interface UnitFacts {
  readonly file: string
  readonly args: readonly string[]
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Settings that the service gets from the environment in which it is installed. */
const kept = [
  'GANTRY_API_PORT',
  'GANTRY_API_HOST',
  'GANTRY_HTTP_PORT',
  'GANTRY_HTTP_HOST',
  'GANTRY_DOMAIN',
  'DATABASE_URL',
]

/**
 * The unit: the supervisor is the main process and ends everything else itself when it is told to stop; systemd kills
 * nothing but it (`KillMode=process`), so that a crash leaves apps serving until the next supervisor adopts them
 * (docs/adr/0008). It may make control groups below its own (`Delegate`).
 */
export function systemdUnit({ file, args, home, env }: UnitFacts): string {
  const settings = kept.flatMap((name) => (env[name] ? [`Environment=${quoted(`${name}=${env[name]}`)}`] : []))
  const command = [file, ...args, 'supervisor'].map(quoted).join(' ')
  return `[Unit]
Description=Gantry, the continuous-delivery platform
After=network.target

[Service]
Type=notify
NotifyAccess=all
Environment=${quoted(`GANTRY_HOME=${home}`)}
Environment=${quoted(`NODE_COMPILE_CACHE=${home}/cache/node`)}
${settings.map((line) => `${line}\n`).join('')}ExecStart=${command}
KillMode=process
TimeoutStopSec=60
Restart=always
RestartSec=1
Delegate=yes
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`
}

/** A word of a unit file: in quotes, with \\, ", % and $ escaped (systemd.syntax(7), systemd.service(5)). */
function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`
}
