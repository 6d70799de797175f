/**
 * Whom each part runs as when the supervisor is root: numbers of Gantry's own, without passwd entries. Undefined as an
 * ordinary user, where everything has that user's uid.
 */
export interface PlatformUsers {
  readonly router: number
  readonly postgres: number
  readonly controlPlane: number
}

export const rootUsers: PlatformUsers = { router: 199_997, postgres: 199_998, controlPlane: 199_999 }
