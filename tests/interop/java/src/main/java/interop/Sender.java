package interop;

import com.helger.httpclient.HttpClientSettings;
import com.helger.json.IJson;
import com.helger.json.IJsonObject;
import com.helger.json.JsonArray;
import com.helger.json.JsonObject;
import com.helger.mime.parse.MimeTypeParser;
import com.helger.phase4.attachment.AS4OutgoingAttachment;
import com.helger.phase4.ebms3header.Ebms3Error;
import com.helger.phase4.ebms3header.Ebms3SignalMessage;
import com.helger.phase4.incoming.AS4IncomingProfileSelectorConstant;
import com.helger.phase4.messaging.http.HttpRetrySettings;
import com.helger.phase4.model.pmode.PMode;
import com.helger.phase4.model.pmode.PModeParty;
import com.helger.phase4.sender.AS4Sender;
import com.helger.phase4.sender.EAS4UserMessageSendResult;
import com.helger.phase4.sender.IAS4SignalMessageValidationResultHandler;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;

/** Sends one message with phase4's client and says what came of it. */
final class Sender {

    private final Agreement agreement;

    Sender(Agreement agreement) {
        this.agreement = agreement;
    }

    IJsonObject send(IJsonObject wanted, SSLContext tls) throws Exception {
        JsonObject outcome = new JsonObject();
        PMode mode = agreement.mode(wanted.getAsString("url"));
        HttpClientSettings http = new HttpClientSettings();
        if (tls != null) {
            http.setSSLContext(tls);
        }
        AS4Sender.BuilderUserMessage message = AS4Sender.builderUserMessage()
                .httpClientFactory(http)
                .httpRetrySettings(new HttpRetrySettings().setMaxRetries(0))
                .cryptoFactorySign(agreement.keys.signing())
                .cryptoFactoryCrypt(agreement.keys.decryption())
                .withSigningParams(how -> agreement.signing().cloneTo(how))
                .withCryptParams(how -> agreement.encryption().cloneTo(how))
                .messageID(wanted.getAsString("message_id"))
                .service(agreement.serviceType, wanted.getAsString("service"))
                .action(wanted.getAsString("action"))
                .as4ProfileID("none")
                .incomingProfileSelector(new AS4IncomingProfileSelectorConstant(null))
                .pmode(mode)
                .pmodeResolver((id, service, action, sender, receiver, agreed, address) -> mode)
                .conversationID("conversation")
                .endpointURL(wanted.getAsString("url"))
                .signalMsgConsumer((signal, metadata, state) -> note(signal, outcome))
                .signalMsgValidationResultHdl(new Checks(outcome));
        parties(message, agreement.sender, agreement.receiver);
        boolean isCompressed = wanted.getAsBoolean("is_compressed", true);
        for (IJson entry : wanted.getAsArray("parts")) {
            AS4OutgoingAttachment part = part(entry.getAsObject(), isCompressed);
            if (message.payload() == null) {
                message.payload(part);
            } else {
                message.addAttachment(part);
            }
        }
        EAS4UserMessageSendResult result = message.sendMessageAndCheckForReceipt(
                problem -> outcome.add("problem", String.valueOf(problem)));
        outcome.add("result", result.name());
        return outcome;
    }

    private static void parties(AS4Sender.BuilderUserMessage message, PModeParty from, PModeParty to) {
        message.fromPartyIDType(from.getIDType()).fromPartyID(from.getIDValue()).fromRole(from.getRole());
        message.toPartyIDType(to.getIDType()).toPartyID(to.getIDValue()).toRole(to.getRole());
    }

    private static AS4OutgoingAttachment part(IJsonObject part, boolean isCompressed) throws Exception {
        AS4OutgoingAttachment.Builder builder = AS4OutgoingAttachment.builder()
                .data(Files.readAllBytes(Path.of(part.getAsString("file"))))
                .mimeType(MimeTypeParser.parseMimeType(part.getAsString("mime_type")));
        return (isCompressed ? builder.compressionGZIP() : builder).build();
    }

    private static void note(Ebms3SignalMessage signal, JsonObject outcome) {
        JsonArray errors = new JsonArray();
        for (Ebms3Error error : signal.getError()) {
            errors.add(new JsonObject()
                    .add("code", error.getErrorCode())
                    .add("severity", error.getSeverity())
                    .add("detail", error.getErrorDetail()));
        }
        outcome.add("errors", errors);
        outcome.add("has_receipt", signal.getReceipt() != null);
        outcome.add("about", signal.getMessageInfo().getRefToMessageId());
    }

    /** Whether the receipt repeats the digests of what was sent, as phase4 sees it. */
    private record Checks(JsonObject outcome) implements IAS4SignalMessageValidationResultHandler {
        @Override
        public void onSuccess() {
            outcome.add("receipt", "confirmed");
        }

        @Override
        public void onError(String reason) {
            outcome.add("receipt", reason);
        }

        @Override
        public void onNotApplicable() {
            outcome.add("receipt", "not applicable");
        }
    }
}
