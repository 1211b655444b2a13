/** True for an answer in place of a title ("Done"), and for a label that fits every conversation and so names none (B-16). */
export const isEcho = (candidate: string): boolean =>
  ECHOES.has(
    candidate
      .normalize("NFC")
      .toLowerCase()
      .replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}\p{M}]+$/gu, ""),
  );

const ECHOES = new Set(
  `pong, ping, yes, yeah, yep, no, nope, ok, okay, done, thanks, thank you, sure, hi, hello, hey, understood, noted,
  got it, great, ready, success, completed, welcome, none, null, undefined, n/a, test, title, untitled, conversation,
  chat, new chat, new conversation, untitled conversation, no title, general, ja, nein, danke, fertig, erledigt, hallo,
  verstanden, titel, unterhaltung, gespräch, neuer chat, oui, non, merci, bonjour, terminé, d'accord, compris, titre,
  conversation sans titre, nouvelle conversation, sí, si, gracias, hola, listo, hecho, entendido, vale, título, titulo,
  conversación, nueva conversación, sim, não, obrigado, obrigada, olá, pronto, feito, conversa, nova conversa, sì,
  grazie, ciao, fatto, titolo, conversazione, klaar, bedankt, gotowe, dziękuję, tak, hotovo, děkuji, evet, tamam,
  teşekkürler, merhaba, klart, tack, ferdig, færdig, takk, valmis, kiitos, да, нет, ок, окей, готово, спасибо, привет,
  хорошо, понял, понятно, заголовок, новый чат, так, дякую, ναι, όχι, εντάξει, ευχαριστώ, έτοιμο, نعم, لا, شكرا, شكرًا,
  تم, حسنا, حسنًا, مرحبا, כן, לא, תודה, בוצע, हाँ, नहीं, धन्यवाद, ठीक है, नमस्ते, ใช่, ขอบคุณ, โอเค, สวัสดี, เสร็จแล้ว,
  是, 是的, 好, 好的, 谢谢, 謝謝, 完成, 你好, 标题, 標題, 新对话, 新對話, 无标题, 收到, 明白, はい, いいえ, 了解, 了解しました, ありがとう, ありがとうございます, 完了, こんにちは, タイトル,
  新しいチャット, 네, 예, 아니요, 감사합니다, 완료, 안녕하세요, 알겠습니다, 제목, 새 채팅`
    .normalize("NFC")
    .split(/,\s*/),
);
