import { pageRoles } from '../../core/domain/audit/visible.ts'
import { refuse } from '../../core/domain/refusal.ts'
import { isSafeAddress } from '../../core/http/cookies.ts'
import { adminLinkLife, createAdminLink } from '../../core/store/admin/admin-links.ts'
import { answer } from '../framework/answer.ts'
import { command } from '../framework/command.ts'
import { say } from '../framework/say.ts'

const life = `${adminLinkLife / 60_000} minutes`

export const adminLink = command({
  words: ['admin', 'link'],
  needs: pageRoles,
  args: {},
  help: "A one-time link to the administrators' page, in our direct chat.",
  detail: `It opens the page once, within ${life}, in the browser in which you tap it. A new link closes the one before.`,
  run: async ({ tx, sender, room, eventId, adminUrl }) => {
    if (!isSafeAddress(adminUrl))
      return refuse('no-page', 'The page is not served: adminUrl in the configuration must begin with https://.')
    const { url } = await createAdminLink(tx, { user: sender.userId, adminUrl })
    const link = answer(
      `This link signs you in to the administrators' page, once, within ${life}. It is for you alone: do not pass it on.`,
      url,
    )
    if (room.class === 'direct') return link
    // In a room others would see it.
    await say(tx, `admin-link:${eventId}:sent`, { user: sender.userId }, link)
    return answer('I have sent you the link in our direct chat.')
  },
})
