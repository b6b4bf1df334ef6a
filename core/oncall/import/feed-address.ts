import { BlockList, isIP } from 'node:net'
import { type Refusal, refuse } from '../../domain/refusal.ts'

const inside = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  inside.addSubnet(net, bits, 'ipv4')
for (const [net, bits] of [
  // Old ways to write IPv4 addresses, and gateways to them.
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fec0::', 10],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  inside.addSubnet(net, bits, 'ipv6')

/** Is this an address that only machines of our own network should be asked at: private, loopback, link-local, multicast? */
export const isInside = (address: string): boolean => {
  const version = isIP(address)
  return version === 0 || inside.check(address, version === 6 ? 'ipv6' : 'ipv4')
}

/** `host` and `host:port` of an address, as `oncall.import_hosts` may list them. */
const namesOf = (url: URL): string[] => [url.hostname.toLowerCase(), url.host.toLowerCase()]

/** Is its host one of the clinic's own, which may be in our network and without TLS? */
export const isOwnHost = (url: URL, ownHosts: readonly string[]): boolean =>
  namesOf(url).some(name => ownHosts.some(own => own.toLowerCase() === name))

/** The address of a feed: https, or http on a host that the settings name; without a user name or password in it, and not into our own network unless the settings name the host. */
export const readFeedAddress = (text: string, ownHosts: readonly string[]): URL | Refusal => {
  const plain = text.replace(/^webcal:\/\//i, 'https://')
  if (plain.length > 2000 || !URL.canParse(plain))
    return refuse('bad-address', 'That is not a web address; it looks like https://schedules.example/feed.ics.')
  const url = new URL(plain)
  if (url.username !== '' || url.password !== '')
    return refuse(
      'address-with-password',
      'An address with a user name or password in it is not stored; ask the source for a secret link.',
    )
  const own = isOwnHost(url, ownHosts)
  if (url.protocol !== 'https:' && !(own && url.protocol === 'http:'))
    return refuse(
      'not-https',
      'A schedule is read by https only; the setting oncall.import_hosts names exceptions in your own network.',
    )
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (!own && ((isIP(host) !== 0 && isInside(host)) || /^localhost$|\.(local|internal|localhost)$/i.test(host)))
    return refuse(
      'inside-address',
      'This address is in your own network; the setting oncall.import_hosts must name its host first.',
    )
  url.hash = ''
  return url
}
