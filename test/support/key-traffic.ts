/** The facts of one call that carries keys, for a test that must tell who lost one: which devices a message went to, which came with a sync, what was claimed. */
export const tellOfKeys = async (
  tell: (line: string) => void,
  input: string | URL | Request,
  init: RequestInit | undefined,
  response: Response,
): Promise<void> => {
  const { pathname, searchParams } = new URL(input instanceof Request ? input.url : String(input))
  const at = `${new Date().toISOString().slice(14, 23)} ${response.status}`
  const json = async () => (await response.clone().json()) as Record<string, unknown>
  if (pathname.endsWith('/sync')) {
    const { to_device, next_batch } = (await json()) as {
      to_device?: { events?: { type: string }[] }
      next_batch?: string
    }
    const types = (to_device?.events ?? []).map(e => e.type)
    if (types.length > 0 || !searchParams.has('since'))
      tell(`${at} sync ${searchParams.get('since')} → ${next_batch}: ${types.join(' ')}`)
  } else if (pathname.includes('/sendToDevice/')) {
    const { messages } = JSON.parse(String(init?.body)) as { messages: Record<string, Record<string, object>> }
    const to = Object.entries(messages).map(([user, devices]) => `${user} ${Object.keys(devices)}`)
    tell(`${at} ${pathname.split('/').at(-2)} to ${to.join('; ')}`)
  } else if (pathname.endsWith('/keys/claim')) tell(`${at} claim ${init?.body} → ${JSON.stringify(await json())}`)
  else if (pathname.endsWith('/keys/upload')) {
    const { device_keys, one_time_keys = {}, fallback_keys = {} } = JSON.parse(String(init?.body ?? '{}'))
    const keys = [Object.keys(one_time_keys).length, ...Object.keys(fallback_keys)]
    tell(`${at} upload ${device_keys ? 'device, ' : ''}${keys} → ${JSON.stringify(await json())}`)
  }
}
