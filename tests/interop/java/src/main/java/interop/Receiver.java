package interop;

import com.helger.base.io.iface.IHasInputStream;
import com.helger.collection.commons.CommonsArrayList;
import com.helger.collection.commons.ICommonsList;
import com.helger.http.header.HttpHeaderMap;
import com.helger.json.IJsonObject;
import com.helger.json.JsonArray;
import com.helger.json.JsonObject;
import com.helger.mime.IMimeType;
import com.helger.phase4.attachment.IAS4IncomingAttachmentFactory;
import com.helger.phase4.attachment.WSS4JAttachment;
import com.helger.phase4.ebms3header.Ebms3SignalMessage;
import com.helger.phase4.ebms3header.Ebms3UserMessage;
import com.helger.phase4.error.AS4ErrorList;
import com.helger.phase4.incoming.AS4IncomingMessageMetadata;
import com.helger.phase4.incoming.AS4IncomingProfileSelectorConstant;
import com.helger.phase4.incoming.AS4IncomingReceiverConfiguration;
import com.helger.phase4.incoming.AS4RequestHandler;
import com.helger.phase4.incoming.IAS4IncomingMessageMetadata;
import com.helger.phase4.incoming.IAS4IncomingMessageState;
import com.helger.phase4.incoming.IAS4ResponseAbstraction;
import com.helger.phase4.incoming.crypto.AS4IncomingSecurityConfiguration;
import com.helger.phase4.incoming.spi.AS4MessageProcessorResult;
import com.helger.phase4.incoming.spi.AS4SignalMessageProcessorResult;
import com.helger.phase4.incoming.spi.IAS4IncomingMessageProcessorSPI;
import com.helger.phase4.model.error.EEbmsError;
import com.helger.phase4.model.pmode.IPMode;
import com.helger.phase4.model.pmode.PMode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.w3c.dom.Node;

/** Hands HTTP requests to phase4 and remembers what it accepted. */
final class Receiver implements HttpHandler, IAS4IncomingMessageProcessorSPI {

    private final Agreement agreement;
    private final PMode mode;
    private final Map<String, IJsonObject> accepted = new ConcurrentHashMap<>();

    Receiver(Agreement agreement, String address) {
        this.agreement = agreement;
        this.mode = agreement.mode(address);
    }

    /** What phase4 says about a message it accepted; null for any other. */
    IJsonObject accepted(String messageId) {
        return accepted.get(messageId);
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        Answer answer = new Answer();
        try (exchange) {
            try {
                process(exchange, answer);
            } catch (Exception problem) {
                System.err.println("phase4 threw " + problem);
                answer.setStatus(500);
            }
            answer.write(exchange);
        }
    }

    private void process(HttpExchange exchange, Answer answer) throws Exception {
        HttpHeaderMap headers = new HttpHeaderMap();
        exchange.getRequestHeaders().forEach((name, values) -> values.forEach(value -> headers.addHeader(name, value)));
        InputStream body = new ByteArrayInputStream(exchange.getRequestBody().readAllBytes());
        try (AS4RequestHandler handler = new AS4RequestHandler(AS4IncomingMessageMetadata.createForRequest())) {
            handler.setCryptoFactorySign(agreement.keys.signing());
            handler.setCryptoFactoryCrypt(agreement.keys.decryption());
            handler.setPModeResolver((id, service, action, sender, receiver, agreed, address) ->
                    agreement.fits(service, action, sender, receiver) ? mode : null);
            handler.setIncomingAttachmentFactory(IAS4IncomingAttachmentFactory.DEFAULT_INSTANCE);
            handler.setIncomingSecurityConfiguration(AS4IncomingSecurityConfiguration.createDefaultInstance()
                    .setSigningParams(agreement.signing())
                    .setCryptParams(agreement.encryption()));
            handler.setIncomingReceiverConfiguration(new AS4IncomingReceiverConfiguration());
            handler.setIncomingProfileSelector(new AS4IncomingProfileSelectorConstant(null));
            handler.setProcessorSupplier(() -> new CommonsArrayList<>(this));
            handler.handleRequest(body, headers, answer);
        }
    }

    @Override
    public AS4MessageProcessorResult processAS4UserMessage(
            IAS4IncomingMessageMetadata metadata,
            HttpHeaderMap headers,
            Ebms3UserMessage message,
            IPMode mode,
            Node body,
            ICommonsList<WSS4JAttachment> attachments,
            IAS4IncomingMessageState state,
            AS4ErrorList errors) {
        if (!agreement.isKept(state)) {
            errors.add(EEbmsError.EBMS_POLICY_NONCOMPLIANCE.errorBuilder(state.getLocale()).build());
            return AS4MessageProcessorResult.createFailure();
        }
        JsonArray parts = new JsonArray();
        if (attachments != null) {
            for (WSS4JAttachment part : attachments) {
                parts.add(facts(part));
            }
        }
        JsonObject facts = new JsonObject();
        facts.add("is_signed", state.isSoapSignatureChecked());
        facts.add("is_encrypted", state.isSoapDecrypted());
        facts.add("signer", state.getSigningCertificate().getSubjectX500Principal().getName());
        facts.add("parts", parts);
        accepted.put(message.getMessageInfo().getMessageId(), facts);
        return AS4MessageProcessorResult.createSuccess();
    }

    private static JsonObject facts(WSS4JAttachment part) {
        try (InputStream in = part.getSourceStream()) {
            byte[] content = in.readAllBytes();
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
            JsonObject facts = new JsonObject();
            facts.add("sha256", HexFormat.of().formatHex(digest));
            facts.add("mime_type", part.getUncompressedMimeType());
            facts.add("is_compressed", part.getCompressionMode() != null);
            return facts;
        } catch (IOException | NoSuchAlgorithmException problem) {
            throw new IllegalStateException("Expected to read the part " + part.getId(), problem);
        }
    }

    @Override
    public AS4SignalMessageProcessorResult processAS4SignalMessage(
            IAS4IncomingMessageMetadata metadata,
            HttpHeaderMap headers,
            Ebms3SignalMessage message,
            IPMode mode,
            IAS4IncomingMessageState state,
            AS4ErrorList errors) {
        return AS4SignalMessageProcessorResult.createSuccess();
    }

    @Override
    public void processAS4ResponseMessage(
            IAS4IncomingMessageMetadata metadata,
            IAS4IncomingMessageState state,
            String messageId,
            byte[] bytes,
            boolean available,
            AS4ErrorList errors) {}

    /** Collects what phase4 answers. */
    private static final class Answer implements IAS4ResponseAbstraction {
        private int status = 200;
        private byte[] content = {};
        private final HttpHeaderMap headers = new HttpHeaderMap();
        private String type;

        @Override
        public void setContent(byte[] bytes, Charset charset) {
            content = bytes;
        }

        @Override
        public void setContent(HttpHeaderMap more, IHasInputStream source) {
            more.forEachSingleHeader(headers::addHeader, true);
            try (InputStream in = source.getInputStream()) {
                content = in.readAllBytes();
            } catch (IOException problem) {
                throw new IllegalStateException(problem);
            }
        }

        @Override
        public void setMimeType(IMimeType mime) {
            type = mime.getAsString();
        }

        @Override
        public void setStatus(int code) {
            status = code;
        }

        void write(HttpExchange exchange) throws IOException {
            if (type != null) {
                exchange.getResponseHeaders().set("Content-Type", type);
            }
            headers.forEachSingleHeader((name, value) -> exchange.getResponseHeaders().set(name, value), true);
            exchange.sendResponseHeaders(status, content.length == 0 ? -1 : content.length);
            if (content.length > 0) {
                exchange.getResponseBody().write(content);
            }
        }
    }
}
