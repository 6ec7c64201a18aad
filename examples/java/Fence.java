import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A small fencer over Redfish. Replace it by yours: the test is what this example is about. */
final class Fence {
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final String url;
    private final String system;
    private final String login;

    Fence(String url, String system, String username, String password) {
        this.url = url;
        this.system = system;
        this.login = "Basic " + Base64.getEncoder().encodeToString((username + ":" + password).getBytes(StandardCharsets.UTF_8));
    }

    /** Returns when the BMC has said Off twice, one second apart. What it answers to the command decides nothing. */
    void off() throws Exception {
        if (confirmed()) return;
        int answer = send("POST", system + "/Actions/ComputerSystem.Reset", "{\"ResetType\": \"ForceOff\"}").statusCode();
        long end = System.nanoTime() + Duration.ofSeconds(15).toNanos();
        while (System.nanoTime() < end) {
            if (confirmed()) return;
            Thread.sleep(500);
        }
        throw new IllegalStateException("timeout: the BMC does not say Off; it answered " + answer + " to ForceOff");
    }

    private boolean confirmed() throws Exception {
        if (!"Off".equals(power())) return false;
        Thread.sleep(1000);
        return "Off".equals(power());
    }

    private String power() throws Exception {
        HttpResponse<String> answer = send("GET", system, "");
        return answer.statusCode() == 200 ? field(answer.body(), "PowerState") : "unknown";
    }

    private HttpResponse<String> send(String method, String path, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path))
                .timeout(Duration.ofSeconds(5))
                .header("Authorization", login)
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    /** The text of the first property of this name; a real program uses its JSON library. */
    static String field(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]*)\"").matcher(json);
        return found.find() ? found.group(1) : "";
    }
}
