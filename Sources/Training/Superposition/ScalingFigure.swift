import Foundation

/// The loss of a sweep's cells against their hidden numbers, both on logarithmic axes, with the fitted power laws, as SVG.
struct ScalingFigure {
    let results: [CellResult]
    let fits: [ScalingFit]

    private static let size = (width: 760.0, height: 460.0)
    private static let plot = (left: 64.0, right: 500.0, top: 20.0, bottom: 410.0)
    /// Distinct also to most who see few colours (Okabe and Ito 2008).
    private static let colors = [
        "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933",
    ]

    var svg: String {
        let points = results.compactMap { result -> (series: SeriesKey, m: Double, loss: Double)? in
            guard let loss = result.measures?.loss, loss > 0 else { return nil }
            return (SeriesKey(result.cell), Double(result.cell.m), loss)
        }
        var series: [SeriesKey] = []
        for point in points where !series.contains(point.series) { series.append(point.series) }
        let x = Axis(points.map(\.m), from: Self.plot.left, to: Self.plot.right)
        let y = Axis(points.map(\.loss), from: Self.plot.bottom, to: Self.plot.top)
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Self.figure(Self.size.width)) \(Self.figure(Self.size.height))\""
                + " font-family=\"sans-serif\" font-size=\"12\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        ]
        lines += grid(x, y, widths: Array(Set(points.map(\.m))).sorted())
        for (index, key) in series.enumerated() {
            let color = Self.colors[index % Self.colors.count]
            let own = points.filter { $0.series == key }
            var title = key.title
            if let fit = fits.first(where: { SeriesKey($0) == key }), let first = own.map(\.m).min(),
                let last = own.map(\.m).max()
            {
                lines.append(
                    "<line x1=\"\(Self.figure(x.place(first)))\" y1=\"\(Self.figure(y.place(fit.loss(hidden: first))))\""
                        + " x2=\"\(Self.figure(x.place(last)))\" y2=\"\(Self.figure(y.place(fit.loss(hidden: last))))\""
                        + " stroke=\"\(color)\" stroke-width=\"1.5\"/>")
                let error = fit.standardError.map { String(format: " ± %.2f", $0) } ?? ""
                title += String(format: ": α_m %.2f", fit.exponent) + error
            }
            for point in own {
                lines.append(
                    "<circle cx=\"\(Self.figure(x.place(point.m)))\" cy=\"\(Self.figure(y.place(point.loss)))\" r=\"3.5\""
                        + " fill=\"\(color)\"/>")
            }
            let height = Self.plot.top + 12 + 20 * Double(index)
            lines.append("<circle cx=\"516\" cy=\"\(Self.figure(height - 4))\" r=\"3.5\" fill=\"\(color)\"/>")
            lines.append("<text x=\"526\" y=\"\(Self.figure(height))\">\(title)</text>")
        }
        lines.append("</svg>")
        return lines.joined(separator: "\n") + "\n"
    }

    /// Frame, ticks and names of the axes.
    private func grid(_ x: Axis, _ y: Axis, widths: [Double]) -> [String] {
        let (left, right, top, bottom) = Self.plot
        func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
            "<line x1=\"\(Self.figure(x1))\" y1=\"\(Self.figure(y1))\" x2=\"\(Self.figure(x2))\" y2=\"\(Self.figure(y2))\""
                + " stroke=\"#ddd\"/>"
        }
        func text(_ x: Double, _ y: Double, _ anchor: String, _ content: String) -> String {
            "<text x=\"\(Self.figure(x))\" y=\"\(Self.figure(y))\" text-anchor=\"\(anchor)\">\(content)</text>"
        }
        var lines: [String] = []
        for m in widths.count <= 10 ? widths : x.ticks {
            lines.append(line(x.place(m), top, x.place(m), bottom))
            lines.append(text(x.place(m), bottom + 16, "middle", String(format: "%g", m)))
        }
        for loss in y.ticks {
            lines.append(line(left, y.place(loss), right, y.place(loss)))
            lines.append(text(left - 6, y.place(loss) + 4, "end", String(format: "%g", loss)))
        }
        lines.append(
            "<rect x=\"\(Self.figure(left))\" y=\"\(Self.figure(top))\" width=\"\(Self.figure(right - left))\""
                + " height=\"\(Self.figure(bottom - top))\" fill=\"none\" stroke=\"black\"/>")
        lines.append(text((left + right) / 2, bottom + 36, "middle", "hidden numbers m"))
        lines.append(
            "<text transform=\"translate(14 \(Self.figure((top + bottom) / 2))) rotate(-90)\" text-anchor=\"middle\">loss</text>"
        )
        return lines
    }

    private static func figure(_ value: Double) -> String { String(format: "%.1f", value) }
}

/// A logarithmic axis.
private struct Axis {
    private let low, high: Double
    private let start, end: Double

    /// - Parameters:
    ///   - values: above 0; they get a margin.
    ///   - start: the place of the lower end in the figure.
    ///   - end: that of the upper end.
    init(_ values: [Double], from start: Double, to end: Double) {
        let (least, most) = (log10(values.min() ?? 1), log10(values.max() ?? 10))
        let margin = max(0.06 * (most - least), 0.02)
        (low, high) = (least - margin, most + margin)
        (self.start, self.end) = (start, end)
    }

    func place(_ value: Double) -> Double { start + (log10(value) - low) / (high - low) * (end - start) }

    /// 1, 2 and 5 of each decade, or the decades alone where these are many.
    var ticks: [Double] {
        let decades = stride(from: Int(low.rounded(.down)), through: Int(high.rounded(.up)), by: 1)
        let steps = high - low > 4 ? [1.0] : high - low > 0.6 ? [1.0, 2, 5] : [1.0, 1.5, 2, 3, 4, 5, 6, 7, 8, 9]
        return decades.flatMap { decade in steps.map { $0 * pow(10, Double(decade)) } }
            .filter { log10($0) >= low && log10($0) <= high }
    }
}
