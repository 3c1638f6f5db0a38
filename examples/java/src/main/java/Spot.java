import java.util.Optional;
import java.util.function.Consumer;
import software.amazon.awssdk.imds.Ec2MetadataClient;
import software.amazon.awssdk.imds.Ec2MetadataClientException;

/** Drains before EC2 interrupts a Spot instance. */
final class Spot {
    /** Returns EC2's action, announced two minutes ahead. */
    static Optional<String> interruption(Ec2MetadataClient client) {
        try {
            var notice = client.get("/latest/meta-data/spot/instance-action").asDocument();
            return Optional.of(notice.asMap().get("action").asString());
        } catch (Ec2MetadataClientException error) {
            if (error.statusCode() == 404) return Optional.empty();
            throw error;
        }
    }

    static void run(Ec2MetadataClient client, Runnable work, Consumer<String> drain) {
        Optional<String> action;
        while ((action = interruption(client)).isEmpty()) work.run();
        drain.accept(action.get());
    }
}
