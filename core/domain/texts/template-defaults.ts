import type { TemplateLang, TemplateName } from './template.ts'

/**
 * The texts that ship (version 0 of each template; rows 54, 68). The clinic first, the reason as a class only, the link amid words so that no telephone shows a
 * preview of it, a number to call, how to stop. The Spanish ones avoid á, í, ó and ú, which the GSM alphabet lacks and which would halve the room.
 */
export const defaultTemplates: Record<TemplateName, Record<TemplateLang, string>> = {
  notice: {
    en: '{clinic}: you have a new secure message. Open {link} within {hours} h. Questions? Call {phone}. Reply STOP to stop texts.',
    es: '{clinic}: tiene un mensaje seguro nuevo. Abra {link} antes de {hours} h. ¿Preguntas? Llame al {phone}. Responda ALTO para no recibir textos.',
  },
  reminder: {
    en: '{clinic}: a secure message is still waiting for you. Open {link} within {hours} h, or call {phone}. Reply STOP to stop texts.',
    es: '{clinic}: un mensaje seguro le espera. Abra {link} antes de {hours} h o llame al {phone}. Responda ALTO para no recibir textos.',
  },
  'new-link': {
    en: '{clinic}: here is the new link you asked for. Open {link} within {hours} h. Not you? Call {phone}. Reply STOP to stop texts.',
    es: '{clinic}: este es el enlace nuevo que nos ha pedido. Abra {link} antes de {hours} h. ¿No fue usted? Llame al {phone}. Responda ALTO para no recibir textos.',
  },
  locked: {
    en: '{clinic}: your secure page was locked after several wrong answers. Please call {phone} and we will open it again. Reply STOP to stop texts.',
    es: '{clinic}: su portal seguro se ha bloqueado tras varias respuestas incorrectas. Llame al {phone} para abrirlo de nuevo. Responda ALTO para no recibir textos.',
  },
  'inbound-received': {
    en: '{clinic}: your care team got your text. Texts are not private: please write on your secure page {link} from now on. In an emergency call 911. Questions? Call {phone}. Reply STOP to stop texts.',
    es: '{clinic}: su equipo ha recibido su texto. Los textos no son privados: desde ahora escriba en {link} por favor. En una emergencia llame al 911. ¿Preguntas? {phone}. Responda ALTO para no recibir textos.',
  },
  'which-patient': {
    en: '{clinic}: more than one person uses this number. Who is your text about? Reply with the number only: {choices}. Or call {phone}. Reply STOP to stop texts.',
    es: '{clinic}: varias personas comparten este celular. Para saber de quien trata su texto, responda solo con la cifra: {choices}. O llame al {phone}. Responda ALTO para no recibir textos.',
  },
  'caregiver-welcome': {
    en: '{clinic}: you were added as a caregiver and agreed to get texts. They only carry a secure link. Questions, or not you? Call {phone}. Reply STOP to stop texts, HELP for help.',
    es: '{clinic}: se le ha registrado como cuidador y acepta recibir textos. Solo llevan un enlace seguro. ¿Preguntas, o no es usted? Llame al {phone}. Responda ALTO para no recibir textos, AYUDA para ayuda.',
  },
  'consent-confirmed': {
    en: '{clinic}: you agreed to get texts from us when a secure message waits. Message and data rates may apply. Questions? Call {phone}. Reply STOP to stop texts, HELP for help.',
    es: '{clinic}: acepta recibir textos cuando le espere un mensaje seguro. Pueden aplicarse tarifas. ¿Preguntas? Llame al {phone}. Responda ALTO para no recibir textos, AYUDA para ayuda.',
  },
  'sms-code': {
    en: '{clinic}: your code is {code}. It works for {minutes} minutes. We never ask for it by phone: do not tell it to anybody.',
    es: '{clinic}: su clave es {code}. Vale {minutes} minutos. Nunca la pedimos por llamada: no la comparta con nadie.',
  },
  help: {
    en: '{clinic}: texts tell you when a secure message waits. For help call {phone}. In an emergency call 911. Message and data rates may apply. Reply STOP to stop texts.',
    es: '{clinic}: los textos le avisan cuando le espera un mensaje seguro. Para ayuda llame al {phone}. En una emergencia llame al 911. Responda ALTO para no recibir textos.',
  },
  stopped: {
    en: '{clinic}: you will get no more texts from us. Reply START to get them again. You can still call {phone}.',
    es: '{clinic}: ya no le enviaremos textos. Responda COMENZAR para tenerlos de nuevo. Puede llamar al {phone}.',
  },
  started: {
    en: '{clinic}: you will get our texts again when a secure message waits. Questions? Call {phone}. Reply STOP to stop texts, HELP for help.',
    es: '{clinic}: de nuevo recibe nuestros textos cuando le espere un mensaje seguro. ¿Preguntas? Llame al {phone}. Responda ALTO para no recibir textos, AYUDA para ayuda.',
  },
  'unknown-sender': {
    en: '{clinic}: this number only sends notices and nobody reads texts that come to it from a phone we do not know. Please call {phone}. In an emergency call 911.',
    es: '{clinic}: este canal solo manda avisos y nadie lee los textos que llegan desde un teléfono desconocido. Por favor llame al {phone}. En una emergencia llame al 911.',
  },
  'former-patient': {
    en: '{clinic}: nobody reads texts that come to this number. Please call {phone} and we will help you. In an emergency call 911.',
    es: '{clinic}: nadie lee los textos que llegan a este canal. Por favor llame al {phone} y le ayudamos. En una emergencia llame al 911.',
  },
}
