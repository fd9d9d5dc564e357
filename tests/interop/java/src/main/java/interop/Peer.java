package interop;

import com.helger.json.IJsonObject;
import com.helger.json.JsonObject;
import com.helger.json.serialize.JsonReader;
import com.helger.phase4.mgr.MetaAS4Manager;
import com.helger.phase4.mgr.AS4ManagerFactoryInMemory;
import com.helger.scope.mgr.ScopeManager;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The other side of the interop tests: phase4 as sender and as receiver, told what to do by JSON lines.
 *
 * <p>One line in, one line out: {@code tls}, {@code agree}, {@code send}, {@code received}; ends with its input.
 */
public final class Peer {

    private final Map<String, Agreement> agreements = new HashMap<>();
    private final Map<String, Receiver> receivers = new HashMap<>();
    private final HttpServer plain;
    private HttpsServer secured;
    private SSLContext tls;

    private Peer() throws Exception {
        plain = HttpServer.create(loopback(), 0);
        plain.setExecutor(Executors.newCachedThreadPool(Peer::daemon));
        plain.start();
    }

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        return thread;
    }

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        // Whatever the libraries print must not get between the answers.
        System.setOut(System.err);
        ScopeManager.onGlobalBegin("interop");
        MetaAS4Manager.setFactory(new AS4ManagerFactoryInMemory());
        Peer peer = new Peer();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println(peer.answer(line).getAsJsonString());
        }
        System.exit(0);
    }

    private IJsonObject answer(String line) {
        try {
            IJsonObject wanted = JsonReader.readFromString(line).getAsObject();
            return switch (wanted.getAsString("do")) {
                case "tls" -> tls(wanted);
                case "agree" -> agree(wanted);
                case "send" -> send(wanted);
                case "received" -> received(wanted);
                default -> throw new IllegalArgumentException("Expected a known command, found " + line);
            };
        } catch (Exception problem) {
            problem.printStackTrace();
            return new JsonObject().add("failure", problem.toString());
        }
    }

    private IJsonObject tls(IJsonObject wanted) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(Keys.store(Path.of(wanted.getAsString("keys"))), Keys.PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(Keys.trusting(Path.of(wanted.getAsString("authority"))));
        tls = SSLContext.getInstance("TLS");
        tls.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        secured = HttpsServer.create(loopback(), 0);
        secured.setHttpsConfigurator(new HttpsConfigurator(tls) {
            @Override
            public void configure(com.sun.net.httpserver.HttpsParameters parameters) {
                javax.net.ssl.SSLParameters mutual = tls.getDefaultSSLParameters();
                mutual.setNeedClientAuth(true);
                parameters.setSSLParameters(mutual);
            }
        });
        secured.setExecutor(Executors.newCachedThreadPool(Peer::daemon));
        secured.start();
        return new JsonObject();
    }

    private IJsonObject agree(IJsonObject wanted) throws Exception {
        Agreement agreement = new Agreement(wanted);
        boolean isSecured = wanted.getAsBoolean("is_tls", false);
        HttpServer server = isSecured ? secured : plain;
        String path = "/" + agreement.name;
        String url = (isSecured ? "https" : "http") + "://127.0.0.1:" + server.getAddress().getPort() + path;
        Receiver receiver = new Receiver(agreement, url);
        server.createContext(path, receiver);
        agreements.put(agreement.name, agreement);
        receivers.put(agreement.name, receiver);
        return new JsonObject().add("url", url);
    }

    private IJsonObject send(IJsonObject wanted) throws Exception {
        return new Sender(agreements.get(wanted.getAsString("agreement"))).send(wanted, tls);
    }

    private IJsonObject received(IJsonObject wanted) {
        IJsonObject facts = receivers.get(wanted.getAsString("agreement")).accepted(wanted.getAsString("message_id"));
        return facts == null ? new JsonObject() : facts;
    }
}
